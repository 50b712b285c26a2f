import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as schemaEngineGlue from '@prisma/schema-engine-wasm/schema_engine_bg';
import type { Pool } from 'pg';

/** Of the DOM's types, which a server has no use for otherwise. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: Record<string, unknown>) => { exports: Record<string, () => void> };
};

type SchemaEngineModule = typeof schemaEngineGlue;

/**
 * Applies what is new in `<folder>/migrations` with Prisma's own schema engine in its WebAssembly form, which
 * needs no download, and with Prisma's own bookkeeping (`_prisma_migrations`), so that `prisma migrate` works
 * beside it. Several processes may call it at once:
 * the engine's advisory lock lets one after the other in.
 * @returns the names of the migrations that were applied now
 */
export async function applyMigrations(pool: Pool, folder: string): Promise<string[]> {
  await markBrokenOff(pool);
  schemaEngine ??= loadSchemaEngine();
  const { SchemaEngine } = schemaEngine;
  const schemaPath = join(folder, 'schema.prisma');
  const engine = await SchemaEngine.new(
    { datamodels: [[schemaPath, readFileSync(schemaPath, 'utf8')]] },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(new WholeScripts(pool)),
  );
  try {
    const { appliedMigrationNames } = await engine.applyMigrations({
      migrationsList: readMigrations(join(folder, 'migrations')),
      filters: { externalTables: [], externalEnums: [] },
    });
    return appliedMigrationNames;
  } finally {
    engine.free();
  }
}

/**
 * The adapter cuts a script at every semicolon and runs the pieces one by one, on any connection of the pool: one that
 * fails in the middle would stay half applied. PostgreSQL takes a script as a whole, in one transaction.
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

/** Of Prisma's own lock for migrations. */
const migrationLock = 72_707_369;

/**
 * A process that was killed inside a migration leaves a record without an end and without a fault, one that got no lock
 * a record with that fault. Prisma stops for ever at both. PostgreSQL has rolled the script back, which is one
 * transaction, so that is what the record says now. A process that holds the lock is still at it.
 */
async function markBrokenOff(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    const { rows } = await client.query<{ found: boolean; locked: boolean }>(
      `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS found, pg_try_advisory_lock($1) AS locked`,
      [migrationLock],
    );
    if (!rows[0]?.found || !rows[0].locked) return;
    await client.query(
      `UPDATE _prisma_migrations SET rolled_back_at = now()
        WHERE finished_at IS NULL AND rolled_back_at IS NULL
          AND (logs IS NULL OR logs ~ '55P03|due to lock timeout')`,
    );
  } finally {
    client.release(true); // Ends the session, and the lock with it.
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

/** The glue code holds one instance for the whole process. */
let schemaEngine: SchemaEngineModule | undefined;

/** The package's own entry imports a .wasm file as a module, which Node does not do without a flag. */
function loadSchemaEngine(): SchemaEngineModule {
  const glueFile = require.resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const wasm = new WebAssembly.Module(readFileSync(glueFile.replace(/\.js$/, '.wasm')));
  const instance = new WebAssembly.Instance(wasm, { './schema_engine_bg.js': schemaEngineGlue });
  schemaEngineGlue.__wbg_set_wasm(instance.exports);
  instance.exports['__wbindgen_start']?.();
  return schemaEngineGlue;
}
