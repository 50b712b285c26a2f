import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allStatements } from '@app/ledger';
import { done } from '@app/messaging';
import { Client } from 'pg';
import { startCore, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';
import { freshDatabase, projectFolder } from '../support/postgres';
import { until } from '../support/until';

describe('statements per job, counted by pg_stat_statements', () => {
  let core: Core;

  afterEach(() => core.close());

  async function calls(pattern: string): Promise<number> {
    const { rows } = await core.pool.query<{ calls: number }>(
      `SELECT coalesce(sum(calls), 0)::int AS calls FROM pg_stat_statements
        WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND query LIKE $1`,
      [pattern],
    );
    return rows[0]!.calls;
  }

  async function transactions(): Promise<number> {
    await core.pool.query('SELECT pg_stat_force_next_flush()');
    const { rows } = await core.pool.query<{ xact_commit: number }>(
      'SELECT xact_commit::int FROM pg_stat_database WHERE datname = current_database()',
    );
    return rows[0]!.xact_commit;
  }

  it('an enqueue is one statement and one commit', async () => {
    const job = plainJob();
    core = await startCore([[job, () => Promise.resolve(done({ n: 1 }))]], { relay: false, heartbeatMs: 600_000 });
    const count = 50;
    await core.enqueue(job, { n: 0 });
    const [statementsBefore, commitsBefore] = [await calls('WITH named AS%'), await transactions()];
    for (let n = 0; n < count; n += 1) await core.enqueue(job, { n });
    const commits = (await transactions()) - commitsBefore;

    expect((await calls('WITH named AS%')) - statementsBefore).toBe(count);
    // Further commits: the wake-ups, at most one per 5 ms, and the counting itself.
    const wakeUps = await calls('NOTIFY%');
    expect(commits).toBeLessThanOrEqual(count + wakeUps + 5);
  });

  it.each([1, 10, 50])(
    'with B = %i deliveries at a time, claim and settle take at most 2/B + 0.1 statements per job',
    async (concurrency) => {
      const job = plainJob({ concurrency });
      core = await startCore([[job, () => Promise.resolve(done({ n: 1 }))]]);
      const count = concurrency * 20;
      let settled = 0;
      core.signals.on('settled', () => (settled += 1));
      // All jobs are due at the same time, so a backlog waits for the worker, and not the worker for jobs.
      const runAt = new Date(Date.now() + 1_000 + count).toISOString();
      await Promise.all(Array.from({ length: count }, (_, n) => core.enqueue(job, { n }, { runAt })));
      await until(
        'all are done',
        () => Promise.resolve(settled),
        (done) => done === count,
      );

      const statements = await calls('WITH wanted AS%');
      expect(statements / count).toBeLessThanOrEqual(2 / concurrency + 0.1);
    },
  );
});

describe('the statements of the libraries', () => {
  it('are accepted by PostgreSQL with the parameter types that they declare', async () => {
    const libraries = join(projectFolder, 'libs');
    const creators = readdirSync(libraries, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
      .map((file) => join(libraries, file))
      .filter((file) => / = statement(Variants)?</.test(readFileSync(file, 'utf8')));
    for (const file of creators) await import(file);
    const named = creators.flatMap((file) => [
      ...readFileSync(file, 'utf8').matchAll(/^(?:export )?const \w+ = statement<.*?>\(\s*'([^']+)'/gms),
    ]);
    // The names of the statements of lists are composed.
    const isWritten = (name: string) => !/^(dead_letters(_|$)|audit_list|list_)/.test(name);
    expect(
      allStatements()
        .map(({ name }) => name)
        .filter(isWritten)
        .sort(),
    ).toEqual(named.map(([, name]) => name!).sort());

    const database = await freshDatabase();
    const client = new Client({ connectionString: database.url });
    await client.connect();
    try {
      const statements = allStatements();
      for (const { name, text } of statements) await client.query(`PREPARE "${name}" AS ${text}`);
      const { rows } = await client.query<{ name: string; types: string[] }>(
        'SELECT name, parameter_types::text[] AS types FROM pg_prepared_statements',
      );
      const declared = statements.map(({ name, parameters }) => ({
        name,
        types: Object.values(parameters).map((type) => sqlName(type.replace('?', ''))),
      }));
      expect(new Map(rows.map(({ name, types }) => [name, types]))).toEqual(
        new Map(declared.map(({ name, types }) => [name, types])),
      );
      expect(rows).toHaveLength(statements.length);
    } finally {
      await client.end();
      await database.drop();
    }
  });

  /** The name that PostgreSQL shows for a type. */
  function sqlName(type: string): string {
    const names: Readonly<Record<string, string>> = {
      int: 'integer',
      float8: 'double precision',
      timestamptz: 'timestamp with time zone',
    };
    const [, name, brackets] = /^(\w+)(.*)$/.exec(type)!;
    return (names[name!] ?? name!) + brackets!;
  }
});
