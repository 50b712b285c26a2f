import '../../libs/configuration/src/check-node.cjs';
import { join, resolve } from 'node:path';
import { brokerSettingNames, readSettings } from '@app/configuration';
import { eventDefinitions, jobDefinitions } from '@app/features/catalogue';
import { kafkaSettings, queuesOf, type BrokerSettings } from '@app/messaging';
import { databaseUrl } from '../postgres/database-url';
import { locatePostgres } from '../postgres/location';
import type { Examined, Finding } from './finding';
import { examineKafka } from './kafka';
import { examineMachine } from './machine';
import { examinePostgres } from './postgres';
import { examineRabbitmq } from './rabbitmq';
import { examineRedis } from './redis';

const projectFolder = join(__dirname, '../../..');
const migrationsFolder = join(projectFolder, 'prisma/migrations');
const topology = { queues: queuesOf(jobDefinitions), events: eventDefinitions };

/** @returns undefined without settings: then the system is not a part of this one */
function examined<S>(name: string, settings: S | undefined, examine: (settings: S) => AsyncIterable<Finding>) {
  return settings === undefined ? undefined : { name, findings: examine(settings) };
}

/** The systems that the variables name, in the order in which a job passes them. */
const examinations: readonly ((settings: BrokerSettings) => Examined | undefined)[] = [
  () => examined('This machine', dataFolder(), (DATA_DIR) => examineMachine({ DATA_DIR })),
  (settings) => examined('PostgreSQL', settings, (given) => examinePostgres(given, migrationsFolder)),
  ({ REDIS_URL }) => examined('Redis', REDIS_URL, examineRedis),
  ({ RABBITMQ_URL: url, BROKER_PREFIX: prefix }) =>
    examined('RabbitMQ', url, (given) => examineRabbitmq({ url: given, prefix }, topology)),
  (settings) => examined('Kafka', kafkaSettings(settings), (given) => examineKafka(given, topology)),
];

/** @returns the folder of the embedded PostgreSQL and of files, whether it exists yet or not */
function dataFolder(): string {
  const { DATA_DIR } = readSettings(['DATA_DIR']);
  try {
    return locatePostgres(projectFolder, DATA_DIR).folder;
  } catch {
    // There is no embedded PostgreSQL, as in the image.
    return resolve(projectFolder, DATA_DIR ?? '.data');
  }
}

/**
 * `npm run doctor`: looks at the database and the brokers of a system with the same variables, and says of each check
 * whether it passed. Changes nothing. Exits with 1 when a check failed.
 */
async function main(): Promise<void> {
  process.env['DATABASE_URL'] ||= databaseUrl();
  const settings = readSettings(brokerSettingNames);
  const counts = { passed: 0, failed: 0 };
  for (const examine of examinations) {
    const system = examine(settings);
    if (!system) continue;
    process.stdout.write(`${system.name}\n`);
    for await (const { check, saw, failed } of system.findings) {
      counts[failed ? 'failed' : 'passed'] += 1;
      process.stdout.write(`  ${failed ? 'FAIL' : 'ok  '}  ${check}: ${saw}\n`);
      if (failed) process.stdout.write(`        Why: ${failed.why}.\n        Do:  ${failed.proceed}.\n`);
    }
  }
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
  process.exitCode = counts.failed > 0 ? 1 : 0;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
