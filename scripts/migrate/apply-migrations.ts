import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as schemaEngineGlue from '@prisma/schema-engine-wasm/schema_engine_bg';
import type { Pool } from 'pg';

/** Part of the DOM types, which a server does not include. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: Record<string, unknown>) => { exports: Record<string, () => void> };
};

type SchemaEngineModule = typeof schemaEngineGlue;

/**
 * Applies the new migrations of `<folder>/migrations` with Prisma's own schema engine. Its WebAssembly form needs no
 * download. Uses Prisma's own table `_prisma_migrations`, so that `prisma migrate` works too. Several processes may
 * call it at once: the engine's advisory lock runs them one after another.
 * @returns the names of the migrations that were applied now
 */
export async function applyMigrations(pool: Pool, folder: string): Promise<string[]> {
  await markBrokenOff(pool);
  schemaEngine ??= loadSchemaEngine();
  const { SchemaEngine } = schemaEngine;
  const engine = await SchemaEngine.new(
    { datamodels: readSchema(join(folder, 'schema')) },
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
    client.release(true); // Ends the session, and with it the lock.
  }
}

/** @returns the path and the text of each file */
function readSchema(baseDir: string): [string, string][] {
  return readdirSync(baseDir).map((name) => [join(baseDir, name), readFileSync(join(baseDir, name), 'utf8')]);
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

/** The package's own entry imports a .wasm file as a module, which Node supports only with a flag. */
function loadSchemaEngine(): SchemaEngineModule {
  const glueFile = require.resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const wasm = new WebAssembly.Module(readFileSync(glueFile.replace(/\.js$/, '.wasm')));
  const instance = new WebAssembly.Instance(wasm, { './schema_engine_bg.js': schemaEngineGlue });
  schemaEngineGlue.__wbg_set_wasm(instance.exports);
  instance.exports['__wbindgen_start']?.();
  return schemaEngineGlue;
}
