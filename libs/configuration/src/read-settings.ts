import { settings, type Settings } from './settings';

/** What a process was started with cannot work. The message names every fault, each on its own line. */
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
    else
      faults.push(
        ...parsed.error.issues.map(
          (issue) => `${name}: ${issue.message}, got ${text === undefined || text === '' ? 'nothing' : `"${text}"`}`,
        ),
      );
  }
  const { LEASE_MS: lease, HEARTBEAT_MS: heartbeat } = values as Partial<Settings>;
  if (lease !== undefined && heartbeat !== undefined && heartbeat * 2 > lease) {
    faults.push(`HEARTBEAT_MS: expected at most half of LEASE_MS (${lease}), got "${heartbeat}"`);
  }
  if (environment['NODE_ENV'] === 'production' && values['FAIL_POINT'] !== undefined) {
    faults.push('FAIL_POINT: expected nothing in production, where no process kills itself');
  }
  if (faults.length > 0) throw new ConfigurationError(faults);
  return values as Pick<Settings, Name>;
}
