import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Client } from 'pg';
import { freshDatabase, projectFolder, type TestDatabase } from '../support/postgres';

/**
 * What the migrations make and Prisma's schema language cannot express. `migrate diff` does not see it. So it is listed
 * here by name, and anything else of these kinds fails.
 */
const beyondPrisma: Record<string, string[]> = {
  // A check is an invariant of the table, whichever program writes it.
  check: [
    'job_lease_while_active',
    'job_open_children_counted',
    'job_order_complete',
    'job_priority_known',
    'product_price_cents_check',
    'redrive_state_known',
    'webhook_endpoint_disabled_why',
    'webhook_endpoint_previous_secret_ends',
  ],
  // The ids of jobs: docs/decisions/0029-ids-of-the-database.md
  function: ['uuid_v7(timestamp with time zone,integer)'],
  // Prisma 7 knows partial indexes, but no expressions and no INCLUDE.
  'index of an expression': [
    'dead_letter_by_discarded',
    'dead_letter_by_kind',
    'dead_letter_by_redriven',
    'job_by_state',
    'job_by_upload',
    'job_deferred',
    'product_generation_by_builder',
    'redrive_once_per_filter',
  ],
  // The positions of all order keys. Only a job with a key takes a number, so it is not the identity of a column.
  sequence: ['job_order'],
  'storage parameters': [
    'begun_event {autovacuum_vacuum_scale_factor=0,autovacuum_vacuum_threshold=5000}',
    'event_outbox {autovacuum_vacuum_scale_factor=0,autovacuum_vacuum_threshold=5000}',
    'job {fillfactor=85}',
    'outbox {autovacuum_vacuum_scale_factor=0,autovacuum_vacuum_threshold=5000}',
    'product_search_by_document {fastupdate=off}',
    'rate_limit {fillfactor=10}',
  ],
  'unlogged table': ['begun_event', 'queue_reader'],
};

const beyondPrismaQuery = `
  WITH relation AS (
    SELECT oid, relname, relkind, relpersistence, reloptions FROM pg_class WHERE relnamespace = 'public'::regnamespace
  ), found AS (
    SELECT 'pg_constraint'::regclass AS catalogue, oid, 'check' AS kind, conname::text AS name
      FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace
    UNION ALL SELECT 'pg_proc'::regclass, oid, 'function', oid::regprocedure::text
      FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT 'pg_class'::regclass, oid, 'index of an expression', relname
      FROM relation JOIN pg_index ON indexrelid = oid WHERE indexprs IS NOT NULL OR indnatts > indnkeyatts
    UNION ALL SELECT 'pg_class'::regclass, oid, 'sequence', relname
      FROM relation WHERE relkind = 'S' AND oid NOT IN (SELECT objid FROM pg_depend WHERE deptype IN ('a', 'i'))
    UNION ALL SELECT 'pg_class'::regclass, oid, 'storage parameters', relname || ' ' || reloptions::text
      FROM relation WHERE reloptions IS NOT NULL
    UNION ALL SELECT 'pg_class'::regclass, oid, 'unlogged table', relname
      FROM relation WHERE relkind = 'r' AND relpersistence <> 'p'
    UNION ALL SELECT 'pg_class'::regclass, oid, 'view', relname FROM relation WHERE relkind IN ('v', 'm', 'f')
    UNION ALL SELECT 'pg_trigger'::regclass, oid, 'trigger', tgname FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'pg_policy'::regclass, oid, 'policy', polname FROM pg_policy
    UNION ALL SELECT 'pg_rewrite'::regclass, oid, 'rule', rulename FROM pg_rewrite
               WHERE rulename <> '_RETURN' AND ev_class IN (SELECT oid FROM relation)
  )
  SELECT kind, array_agg(name ORDER BY name COLLATE "C") AS names FROM found
   WHERE NOT EXISTS (SELECT FROM pg_depend WHERE classid = catalogue AND objid = oid AND deptype = 'e')
   GROUP BY kind`;

/** Statements of a part on a table of another part, each with the reason. */
const acrossParts: Record<string, string> = {
  'CREATE INDEX job_by_upload ON job': 'only jobs of the image part have an entry; the core knows no kind of job',
};

const prismaFolder = join(projectFolder, 'prisma');

/** The models of each part: the name of the table, and the text. */
const models = readdirSync(join(prismaFolder, 'schema')).flatMap((file) =>
  [...readFileSync(join(prismaFolder, 'schema', file), 'utf8').matchAll(/^model \w+ \{$(.*?)^\}$/gms)].map(
    ([, text]) => ({ part: basename(file, '.prisma'), table: /@@map\("(\w+)"\)/.exec(text!)![1]!, text: text! }),
  ),
);

const migrations = readdirSync(join(prismaFolder, 'migrations'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => ({
    name,
    part: /^\d{14}_([a-z]+)(_\w+)?$/.exec(name)?.[1],
    sql: readFileSync(join(prismaFolder, 'migrations', name, 'migration.sql'), 'utf8').replace(/--.*$/gm, ''),
  }))
  .sort((one, other) => (one.name < other.name ? -1 : 1));

const kinds = 'TABLE|INDEX|TYPE|SEQUENCE|FUNCTION|VIEW';
const optional = '(?:CONCURRENTLY |IF EXISTS |IF NOT EXISTS |ONLY )*"?';

/** The part of each table, by its model, and of each other object, by the migration that makes it. */
const partOf = new Map<string, string | undefined>([
  ...migrations.flatMap(({ part, sql }) =>
    [...sql.matchAll(new RegExp(`\\b(?:CREATE (?:[A-Z]+ )*(?:${kinds})|RENAME TO) ${optional}(\\w+)`, 'gi'))].map(
      ([, name]) => [name!, part] as const,
    ),
  ),
  ...models.map(({ part, table }) => [table, part] as const),
]);

describe('the migrations', () => {
  let database: TestDatabase;
  let client: Client;

  beforeAll(async () => {
    database = await freshDatabase();
    client = new Client({ connectionString: database.url });
    await client.connect();
  });

  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  it('make the tables that prisma/schema describes', () => {
    const script = join(projectFolder, 'dist/test/support/schema-diff-process.js');
    const sql = execFileSync(process.execPath, [script, database.url], { encoding: 'utf8' });
    expect(sql.trim()).toBe('-- This is an empty migration.');
  });

  it('make nothing else that Prisma cannot describe than what is listed here', async () => {
    const { rows } = await client.query<{ kind: string; names: string[] }>(beyondPrismaQuery);
    expect(Object.fromEntries(rows.map(({ kind, names }) => [kind, names]))).toEqual(beyondPrisma);
  });

  it('give a value to each column that prisma/schema leaves to the database', async () => {
    const left = models.flatMap(({ table, text }) =>
      [...text.matchAll(/^ +(\w+) .*@default\(dbgenerated\(\)\).*$/gm)].map(([line, field]) => {
        return `${table}.${/ @map\("(\w+)"\)/.exec(line)?.[1] ?? field}`;
      }),
    );
    const { rows } = await client.query<{ name: string }>(
      `SELECT relname || '.' || attname AS name
         FROM pg_attrdef JOIN pg_class ON pg_class.oid = adrelid
         JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
        WHERE relnamespace = 'public'::regnamespace AND relname <> '_prisma_migrations'
          AND (attgenerated <> '' OR pg_get_expr(adbin, adrelid) = 'CURRENT_TIMESTAMP')`,
    );
    expect(rows.map(({ name }) => name).sort()).toEqual(left.sort());
  });

  it('connect no two parts by a foreign key', async () => {
    const { rows } = await client.query<{ name: string; from: string; to: string }>(
      `SELECT conname AS name, conrelid::regclass AS from, confrelid::regclass AS to FROM pg_constraint WHERE contype = 'f'`,
    );
    expect(rows).not.toEqual([]);
    expect(rows.filter(({ from, to }) => partOf.get(from) !== partOf.get(to))).toEqual([]);
  });

  it('begin with the core', () => {
    expect(migrations[0]!.part).toBe('core');
  });

  it.each(migrations)('$name has the name of a part and touches only what belongs to it', ({ part, sql }) => {
    expect(models.map((model) => model.part)).toContain(part);
    const own = Object.keys(acrossParts).reduce((text, statement) => text.replace(statement, ''), sql);
    const names = own.matchAll(
      new RegExp(`\\b(?:${kinds}|ON|REFERENCES|INTO|UPDATE|FROM|JOIN|USING) ${optional}(\\w+)`, 'gi'),
    );
    const touched = [...names].map(([, name]) => name!).filter((name) => partOf.has(name));
    expect(touched).not.toEqual([]);
    expect(touched.filter((name) => partOf.get(name) !== part)).toEqual([]);
  });
});
