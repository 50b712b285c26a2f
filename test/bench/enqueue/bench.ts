import type { Pool } from 'pg';
import { freePort } from '../../../scripts/postgres/free-port';
import { TestSystem } from '../../support/system';
import { productTimes } from '../measuring/product-times';
import { BenchProcess } from '../measuring/bench-process';
import { endingWith } from '../measuring/ending';
import { startMeter, type Cost } from '../measuring/meter';
import { quantile } from '../measuring/statistics';
import { printTable, shown, shownRatio, shownSpread } from '../measuring/table';
import { inTurns, type Results } from '../measuring/turns';
import { closedLoop, type LoadResult } from './closed-loop';

export interface EnqueueOptions {
  readonly repeats: number;
  readonly seconds: number;
  readonly connections: number;
}

interface Turn extends LoadResult {
  readonly cost: Cost;
}

type Contender = 'api' | 'one INSERT';

const warmUpSeconds = 2;

/**
 * Compares the real API, without a relay, with a server of the same framework that does one INSERT. Both use one
 * PostgreSQL.
 */
export async function benchEnqueue({ repeats, seconds, connections }: EnqueueOptions): Promise<void> {
  const system = await TestSystem.start({ apps: ['api'], environment: productTimes });
  await endingWith(
    () => system.stop(),
    async () => {
      const { pool, databaseUrl } = system;
      await pool.query('CREATE TABLE bench_job (id uuid PRIMARY KEY, payload jsonb NOT NULL)');
      const port = await freePort();
      await BenchProcess.during('bare-server', { DATABASE_URL: databaseUrl, PORT: String(port) }, async () => {
        const barePath = `http://127.0.0.1:${port}`;
        await closedLoop(system.url(), connections, warmUpSeconds);
        await closedLoop(barePath, connections, warmUpSeconds);
        const load = (url: string, table: string) => () =>
          exactly(pool, table, () => closedLoop(url, connections, seconds));
        const results = await inTurns<Contender, Turn>(repeats, {
          api: load(system.url(), 'job'),
          'one INSERT': load(barePath, 'bench_job'),
        });
        await report(pool, results, `${connections} connections, ${repeats} turns of ${seconds} s`);
      });
    },
  );
}

/** @throws Error unless the number of stored rows equals the number of answers */
async function exactly(pool: Pool, table: string, load: () => Promise<LoadResult>): Promise<Turn> {
  const before = await count(pool, table);
  const stop = await startMeter(pool);
  const result = await load();
  const cost = await stop();
  const stored = (await count(pool, table)) - before;
  if (stored !== result.accepted) throw new Error(`${table}: ${result.accepted} times 202, but ${stored} rows.`);
  return { ...result, cost };
}

async function count(pool: Pool, table: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
  return rows[0]!.count;
}

async function report(pool: Pool, { api, 'one INSERT': bare }: Results<Contender, Turn>, how: string): Promise<void> {
  const { rows } = await pool.query<{ setting: string }>(
    `SELECT name || ' ' || setting AS setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit') ORDER BY 1`,
  );
  const settings = rows.map(({ setting }) => setting).join(', ');
  process.stdout.write(`\nenqueue: POST /v1/emails beside one INSERT; ${how}; ${settings}\n`);
  const perSecond = (turns: readonly Turn[]) => turns.map((turn) => turn.perSecond);
  const latency = (turns: readonly Turn[], q: number) => turns.map(({ latenciesMs }) => quantile(latenciesMs, q));
  const row = (name: string, turns: readonly Turn[]) => [
    name,
    shownSpread(perSecond(turns), 0),
    shownSpread(latency(turns, 0.5), 1),
    shownSpread(latency(turns, 0.99), 1),
    shownSpread(
      turns.map(({ cost, accepted }) => cost.statements / accepted),
      2,
    ),
    shownSpread(
      turns.map(({ cost, accepted }) => cost.writes / accepted),
      2,
    ),
    shownSpread(
      turns.map(({ cost, accepted }) => cost.cpuSeconds && (cost.cpuSeconds / accepted) * 1_000),
      2,
    ),
  ];
  printTable([
    ['', 'jobs/s', 'p50 ms', 'p99 ms', 'statements/job', 'commits/job', 'CPU s/1000 jobs'],
    row('api', api),
    row('one INSERT', bare),
    [
      'ratio',
      shownRatio(perSecond(api), perSecond(bare)),
      shownRatio(latency(api, 0.5), latency(bare, 0.5)),
      shownRatio(latency(api, 0.99), latency(bare, 0.99)),
      '',
      '',
      '',
    ],
  ]);
  const busy = Math.max(...[...api, ...bare].map(({ generatorBusy }) => generatorBusy));
  process.stdout.write(
    `  rows stored = answers with 202 in every turn; load generator busy at most ${shown(busy * 100, 0)} %\n`,
  );
}
