import '../../libs/configuration/src/check-node.cjs';
import { relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { rabbitmq } from '../../scripts/brokers/rabbitmq';
import { setUpBrokers } from '../support/brokers';
import { projectFolder } from '../support/postgres';
import { tearDown } from '../support/run-folder';
import { setUp, setUpPostgres } from '../support/set-up';
import { anEmail, TestSystem } from '../support/system';
import { until } from '../support/until';
import { ProcessUnderInspection, type CalledFunction } from './process-under-inspection';

const acknowledgedMs = 1_000;
const apps = ['api', 'relay', 'email-worker'];

/**
 * Only timers without a setting run: the relay's poll and schedules, and the reports and the progress of the worker.
 */
const withoutTimers = {
  NODE_OPTIONS: '--inspect=127.0.0.1:0',
  LEASE_MS: '600000',
  HEARTBEAT_MS: '120000',
  SWEEP_MS: '120000',
  RECONCILE_MS: '120000',
  FORGOTTEN_AFTER_MS: '600000',
};

/**
 * `npm run path`: sends emails over RabbitMQ, which must be available, and prints for the API, the relay and the
 * email-worker the functions of this repository that ran for an email, in the order of their first calls. Functions
 * without a name are left out.
 */
async function main(): Promise<void> {
  let system: TestSystem | undefined;
  try {
    process.env['REQUIRE_BROKERS'] = 'all';
    await setUp(setUpPostgres, () => setUpBrokers([rabbitmq]));
    system = await TestSystem.start({ backend: 'rabbitmq', apps, environment: withoutTimers });
    const inspected = await Promise.all(apps.map((app) => ProcessUnderInspection.of(app, addressOf(system!, app))));
    await sendEmail(system, 'the first one loads what is loaded late');
    await Promise.all(inspected.map((one) => one.startCoverage()));
    await sendEmail(system, 'counted');
    await Promise.all(inspected.map((one) => one.endCoverage()));
    await sendEmail(system, 'in order');
    await Promise.all(inspected.map((one) => one.close()));
    print(inspected);
  } finally {
    await system?.stop();
    await tearDown();
  }
}

function addressOf(system: TestSystem, app: string): string {
  const address = new RegExp(`^${app}: Debugger listening on (ws://\\S+)`, 'm').exec(system.allOutput)?.[1];
  if (address === undefined) throw new Error(`${app} does not say where its inspector listens:\n${system.output}`);
  return address;
}

async function sendEmail(system: TestSystem, subject: string): Promise<void> {
  const { body } = await system.post('/v1/emails', { ...anEmail(), subject });
  await until(
    'the job is completed',
    async () => (await system.pool.query('SELECT state FROM job WHERE id = $1', [body.id])).rows,
    ([job]) => job.state === 'completed',
  );
  // The acknowledgement follows the commit, and is not visible outside the worker.
  await delay(acknowledgedMs);
}

function print(inspected: readonly ProcessUnderInspection[]): void {
  const all: CalledFunction[] = [];
  for (const { name, called } of inspected) {
    process.stdout.write(`\n${name}\n`);
    for (const { file, line, label, lines } of called) {
      process.stdout.write(`  ${`${relative(projectFolder, file)}:${line}`.padEnd(72)} ${label} (${lines})\n`);
    }
    all.push(...called);
  }
  const files = new Set(all.map(({ file }) => file));
  const longest = all.reduce((one, other) => (other.lines > one.lines ? other : one));
  process.stdout.write(
    `\n${all.length} functions in ${files.size} files; the longest is ${longest.label} with ${longest.lines} lines\n`,
  );
}

void main();
