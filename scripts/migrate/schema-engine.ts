import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as schemaEngineGlue from '@prisma/schema-engine-wasm/schema_engine_bg';

/** Part of the DOM types, which a server does not include. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: Record<string, unknown>) => { exports: Record<string, () => void> };
};

type SchemaEngineModule = typeof schemaEngineGlue;

/**
 * Runs Prisma's schema engine on a database. Its WebAssembly form needs no download. It keeps timers for 10 s.
 * @param schema the files of the schema, from `readSchema`
 */
export async function withSchemaEngine<Result>(
  database: PrismaPg,
  schema: readonly schemaEngineGlue.SchemaContainer[],
  work: (engine: schemaEngineGlue.SchemaEngine) => Promise<Result>,
): Promise<Result> {
  schemaEngine ??= loadSchemaEngine();
  const engine = await schemaEngine.SchemaEngine.new(
    { datamodels: schema.map(({ path, content }) => [path, content]) },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(database),
  );
  try {
    return await work(engine);
  } finally {
    engine.free();
  }
}

/** @returns the path and the text of each file */
export function readSchema(folder: string): schemaEngineGlue.SchemaContainer[] {
  return readdirSync(folder).map((name) => {
    const path = join(folder, name);
    return { path, content: readFileSync(path, 'utf8') };
  });
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
