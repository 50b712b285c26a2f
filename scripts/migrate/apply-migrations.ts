import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import type { Pool } from 'pg';
import { readSchema, withSchemaEngine } from './schema-engine';

/**
 * Applies the new migrations of `<folder>/migrations` with Prisma's own schema engine. Uses Prisma's own table
 * `_prisma_migrations`, so that `prisma migrate` works too. Several processes may call it at once: the engine's
 * advisory lock runs them one after another.
 * @returns the names of the migrations that were applied now
 * @throws Error when the database has migrations of another history
 */
export async function applyMigrations(pool: Pool, folder: string): Promise<string[]> {
  const migrationsList = readMigrations(join(folder, 'migrations'));
  const { rows } = await pool.query<{ found: boolean }>(
    `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS found`,
  );
  if (rows[0]!.found) {
    await assertSameHistory(pool, migrationsList.migrationDirectories[0]!.path);
    await markBrokenOff(pool);
  }
  return withSchemaEngine(new WholeScripts(pool), readSchema(join(folder, 'schema')), async (engine) => {
    const filters = { externalTables: [], externalEnums: [] };
    return (await engine.applyMigrations({ migrationsList, filters })).appliedMigrationNames;
  });
}

/**
 * The adapter splits a script at every semicolon and runs each piece on any connection of the pool, so a failing script
 * would stay half applied. PostgreSQL runs a whole script in one transaction.
 */
class WholeScripts extends PrismaPg {
  override async connect(): ReturnType<PrismaPg['connect']> {
    const adapter = await super.connect();
    adapter.executeScript = async (sql) => {
      await adapter.executeRaw({ sql, args: [], argTypes: [] });
    };
    return adapter;
  }
}

/**
 * Prisma would apply the migrations on top of another history, and fail at the first table that exists. A database with
 * later migrations than this version has is no other history: an earlier version may run on it.
 * @param first the first migration of this version
 */
async function assertSameHistory(pool: Pool, first: string): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT DISTINCT migration_name AS name FROM _prisma_migrations
      WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY name`,
  );
  const names = rows.map(({ name }) => name);
  if (names.length === 0 || names.includes(first)) return;
  const others = names.length === 1 ? '' : ` to ${names.at(-1)}`;
  throw new Error(
    `expected a database that is empty or has the migration ${first}, ` +
      `found one of an earlier version, with ${names.length} other migrations: ${names[0]}${others}. ` +
      'It cannot be upgraded, and nothing was changed. Use an empty database; without DATABASE_URL, ' +
      '`npm start` makes one when DATA_DIR names another folder or the folder of the earlier version is deleted.',
  );
}

/** The key of Prisma's own lock for migrations. */
const migrationLock = 72_707_369;

/**
 * A process that was killed inside a migration leaves a record without an end and without an error; a process that got
 * no lock leaves a record with that error. Prisma would refuse both for ever. PostgreSQL has rolled back the script,
 * which is one transaction, so the record is marked as rolled back. When another process holds the lock, its migration
 * may still run, and nothing is changed.
 */
async function markBrokenOff(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [
      migrationLock,
    ]);
    if (!rows[0]!.locked) return;
    await client.query(
      `UPDATE _prisma_migrations SET rolled_back_at = now()
        WHERE finished_at IS NULL AND rolled_back_at IS NULL
          AND (logs IS NULL OR logs ~ '55P03|due to lock timeout')`,
    );
  } finally {
    client.release(true); // Ends the session, and with it the lock.
  }
}

function readMigrations(baseDir: string) {
  return {
    baseDir,
    lockfile: { path: 'migration_lock.toml', content: readFileSync(join(baseDir, 'migration_lock.toml'), 'utf8') },
    shadowDbInitScript: '',
    migrationDirectories: readdirSync(baseDir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort()
      .map((path) => ({
        path,
        migrationFile: {
          path: 'migration.sql',
          content: { tag: 'ok' as const, value: readFileSync(join(baseDir, path, 'migration.sql'), 'utf8') },
        },
      })),
  };
}
