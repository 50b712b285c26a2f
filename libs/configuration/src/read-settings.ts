import { developmentPassword, requiredInProduction, secretSettings, settings, type Settings } from './settings';

/**
 * A process cannot work with its settings; starting it again does not help. The message names each fault on a line of
 * its own.
 */
export class ConfigurationError extends Error {
  readonly code = 'configuration_invalid';

  constructor(readonly faults: readonly string[]) {
    super(`The configuration cannot be used:\n${faults.map((fault) => `- ${fault}`).join('\n')}`);
    this.name = 'ConfigurationError';
  }
}

/**
 * Reads the named variables. An empty value counts as not set, as in a `.env` file with nothing after the `=`.
 * @throws ConfigurationError with all faults at once
 */
export function readSettings<Name extends keyof Settings>(
  names: readonly Name[],
  environment: NodeJS.ProcessEnv = process.env,
): Pick<Settings, Name> {
  const values: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const name of names) {
    const text = environment[name];
    const parsed = settings[name].safeParse(text === '' ? undefined : text);
    if (parsed.success) values[name] = parsed.data;
    else faults.push(...parsed.error.issues.map(({ message }) => `${name}: ${message}, got ${shown(name, text)}`));
  }
  const { LEASE_MS: lease, HEARTBEAT_MS: heartbeat } = values as Partial<Settings>;
  if (lease !== undefined && heartbeat !== undefined && heartbeat * 2 > lease) {
    faults.push(`HEARTBEAT_MS: expected at most half of LEASE_MS (${lease}), got "${heartbeat}"`);
  }
  if (values['S3_BUCKET'] !== undefined) {
    for (const name of ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'] as const) {
      if (values[name] === undefined) faults.push(`${name}: expected a value beside S3_BUCKET, got nothing`);
    }
  }
  if ((values['KAFKA_USERNAME'] === undefined) !== (values['KAFKA_PASSWORD'] === undefined)) {
    faults.push('KAFKA_USERNAME and KAFKA_PASSWORD: expected both or none, got one of them');
  }
  if (environment['NODE_ENV'] === 'production') {
    for (const name of names.filter((one) => environment[one]?.includes(developmentPassword))) {
      faults.push(`${name}: expected a password of your own in production, got the one of development`);
    }
    const isRead = (name: keyof Settings) => (names as readonly string[]).includes(name);
    for (const name of requiredInProduction.filter((required) => isRead(required) && !environment[required])) {
      faults.push(`${name}: expected a value in production (docs/access.md says which), got nothing`);
    }
    if (values['WEBHOOK_ALLOW_HOSTS'] !== undefined) {
      faults.push('WEBHOOK_ALLOW_HOSTS: expected nothing in production, where webhooks go to the public Internet only');
    }
    if (values['FAIL_POINT'] !== undefined) {
      faults.push('FAIL_POINT: expected nothing in production, where no process kills itself');
    }
  }
  if (faults.length > 0) throw new ConfigurationError(faults);
  return values as Pick<Settings, Name>;
}

/** @returns the value for the message of a fault, without secrets: such messages are shared and kept in logs */
function shown(name: string, text: string | undefined): string {
  if (text === undefined || text === '') return 'nothing';
  const mayHoldPassword = name.endsWith('_URL') && /[@?]/.test(text);
  return secretSettings.has(name) || mayHoldPassword ? 'a value that is not shown' : `"${text}"`;
}
