import '../../libs/configuration/src/check-node.cjs';
import { join } from 'node:path';
import { Pool } from 'pg';
import { readSettings } from '@app/configuration';
import { migrateBullmq } from '@app/messaging';
import { applyMigrations } from './apply-migrations';
import { settingNames } from './config';
import { grantAppRole } from './grant-app-role';

const prismaFolder = join(__dirname, '../../../prisma');

/** Brings the database up to date: the ledger, and BullMQ's tables where it runs on PostgreSQL. */
async function migrate(): Promise<void> {
  const { DATABASE_URL, REDIS_URL, DATABASE_APP_URL } = readSettings(settingNames);
  const pool = new Pool({ connectionString: DATABASE_URL, max: 3, connectionTimeoutMillis: 10_000 });
  const applied = await applyMigrations(pool, prismaFolder);
  if (REDIS_URL === undefined) await migrateBullmq(pool);
  if (DATABASE_APP_URL !== undefined) await grantAppRole(pool, DATABASE_APP_URL);
  for (const name of applied) process.stdout.write(`migration ${name} applied\n`);
}

// The schema engine keeps timers of its own for 10 s; there is nothing to wait for.
migrate().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`migrate: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
