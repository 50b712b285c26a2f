import '../../libs/configuration/src/check-node.cjs';
import { join } from 'node:path';
import { readSettings } from '@app/configuration';
import { checkDatabase, directUrl, migrateBullmq } from '@app/messaging';
import { createPool } from '@app/ledger';
import { applyMigrations } from './apply-migrations';
import { settingNames } from './config';
import { grantAppRole } from './grant-app-role';
import { lockTimeoutMs, pastLocks } from './past-locks';

const prismaFolder = join(__dirname, '../../../prisma');

/** Migrates the database: the ledger, and BullMQ's tables when BullMQ runs on PostgreSQL. */
async function migrate(): Promise<void> {
  const settings = readSettings(settingNames);
  await checkDatabase(settings);
  const { DATABASE_APP_URL: appUrl } = settings;
  const url = directUrl(settings);
  const application = `migrate ${process.pid}`;
  const connectionTimeoutMillis = 10_000;
  const pool = createPool(
    url,
    { application_name: application, max: 3, connectionTimeoutMillis },
    { lock_timeout: `${lockTimeoutMs}ms` },
  );
  const look = createPool(url, { application_name: 'migrate, looking', max: 1, connectionTimeoutMillis });
  const steps = [
    async () => {
      for (const name of await applyMigrations(pool, prismaFolder)) say(`migration ${name} applied`);
    },
    ...(settings.REDIS_URL === undefined ? [() => migrateBullmq(pool)] : []),
    ...(appUrl === undefined ? [] : [() => grantAppRole(pool, appUrl)]),
  ];
  for (const step of steps) await pastLocks(look, application, step, (line) => say(`migrate: ${line}`));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

// Exits without waiting for the schema engine, which keeps timers for 10 s.
migrate().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`migrate: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
