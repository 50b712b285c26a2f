import { join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum, type ColumnType, type ResultValue } from '@prisma/driver-adapter-utils';
import { Pool } from 'pg';
import { readSchema, withSchemaEngine } from '../../scripts/migrate/schema-engine';
import { projectFolder } from './postgres';

/** The types of the columns of PostgreSQL's catalogue, by their oids in `pg_type`. */
const columnTypes: Readonly<Record<number, ColumnType>> = {
  16: ColumnTypeEnum.Boolean,
  18: ColumnTypeEnum.Character,
  19: ColumnTypeEnum.Text, // name
  20: ColumnTypeEnum.Int64,
  21: ColumnTypeEnum.Int32,
  23: ColumnTypeEnum.Int32,
  25: ColumnTypeEnum.Text,
  26: ColumnTypeEnum.Int64, // oid
  1009: ColumnTypeEnum.TextArray,
  1043: ColumnTypeEnum.Text, // varchar
};

/** The adapter does not know PostgreSQL's type "char", which the catalogue uses and the applications do not. */
class Catalogue extends PrismaPg {
  override async connect(): ReturnType<PrismaPg['connect']> {
    const adapter = await super.connect();
    adapter.queryRaw = async ({ sql, args }) => {
      const query = { text: sql, values: args, rowMode: 'array' as const };
      const { fields, rows } = await adapter.underlyingDriver().query<ResultValue[]>(query);
      const typeOf = (name: string, oid: number): ColumnType => {
        if (columnTypes[oid] === undefined) throw new Error(`${name}: no column type for the oid ${oid}`);
        return columnTypes[oid];
      };
      return {
        columnNames: fields.map(({ name }) => name),
        columnTypes: fields.map(({ name, dataTypeID }) => typeOf(name, dataTypeID)),
        rows,
      };
    };
    return adapter;
  }
}

/** @returns the SQL that would make the database as prisma/schema says, as `prisma migrate diff` prints it */
async function schemaDiff(databaseUrl: string): Promise<string> {
  const configDir = join(projectFolder, 'prisma/schema');
  const files = readSchema(configDir);
  const pool = new Pool({ connectionString: databaseUrl });
  const { stdout } = await withSchemaEngine(new Catalogue(pool), files, (engine) =>
    engine.diff({
      from: { tag: 'schemaDatasource', files, configDir },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    }),
  );
  await pool.end();
  return stdout ?? '';
}

// A process of its own, because the schema engine keeps timers for 10 s.
schemaDiff(process.argv[2]!).then(
  (sql) => process.stdout.write(sql, () => process.exit(0)),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
