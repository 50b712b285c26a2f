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

type Contender = 'the API' | 'same, one INSERT' | 'bare, one INSERT';

/** V8 goes on to optimize an API for as long as this. */
const warmUpSeconds = 10;

/**
 * Compares the real API, without a relay, with the same API that does one INSERT, and with a server of the same framework
 * that does nothing else. All use one PostgreSQL.
 */
export async function benchEnqueue({ repeats, seconds, connections }: EnqueueOptions): Promise<void> {
  const system = await TestSystem.start({ apps: ['api'], environment: productTimes });
  await endingWith(
    () => system.stop(),
    async () => {
      const { pool, databaseUrl } = system;
      await pool.query('CREATE TABLE bench_job (id uuid PRIMARY KEY, payload jsonb NOT NULL)');
      const [same, bare] = [await freePort(), await freePort()];
      const environment = { ...productTimes, DATABASE_URL: databaseUrl };
      await BenchProcess.during('one-insert-api', { ...environment, PORT: String(same) }, () =>
        BenchProcess.during('bare-server', { ...environment, PORT: String(bare) }, async () => {
          const contenders = [
            ['the API', system.url(), 'job'],
            ['same, one INSERT', `http://127.0.0.1:${same}`, 'bench_job'],
            ['bare, one INSERT', `http://127.0.0.1:${bare}`, 'bench_job'],
          ] as const;
          for (const [name, url] of contenders) {
            process.stdout.write(`  warming up: ${name}\n`);
            await closedLoop(url, connections, warmUpSeconds);
          }
          const turns = contenders.map(([name, url, table]) => [
            name,
            () => exactly(pool, table, () => closedLoop(url, connections, seconds)),
          ]);
          const results = await inTurns<Contender, Turn>(repeats, Object.fromEntries(turns));
          await report(pool, results, `${connections} connections, ${repeats} turns of ${seconds} s`);
        }),
      );
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

async function report(pool: Pool, results: Results<Contender, Turn>, how: string): Promise<void> {
  const { rows } = await pool.query<{ setting: string }>(
    `SELECT name || ' ' || setting AS setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit') ORDER BY 1`,
  );
  const settings = rows.map(({ setting }) => setting).join(', ');
  process.stdout.write(`\nenqueue: POST /v1/emails beside one INSERT; ${how}; ${settings}\n`);
  const perSecond = (turns: readonly Turn[]) => turns.map((turn) => turn.perSecond);
  const latency = (turns: readonly Turn[], q: number) => turns.map(({ latenciesMs }) => quantile(latenciesMs, q));
  const perJob = (turns: readonly Turn[], of: (cost: Cost) => number | undefined) =>
    turns.map(({ cost, accepted }) => {
      const spent = of(cost);
      return spent === undefined ? undefined : spent / accepted;
    });
  const row = (name: Contender): string[] => {
    const turns = results[name];
    return [
      name,
      shownSpread(perSecond(turns), 0),
      shownSpread(latency(turns, 0.5), 1),
      shownSpread(latency(turns, 0.99), 1),
      shownSpread(
        perJob(turns, ({ statements }) => statements),
        2,
      ),
      shownSpread(
        perJob(turns, ({ writes }) => writes),
        2,
      ),
      shownSpread(
        perJob(turns, ({ cpuSeconds }) => cpuSeconds && cpuSeconds * 1_000),
        2,
      ),
    ];
  };
  const ratio = (beside: Contender): string[] => {
    const [api, other] = [results['the API'], results[beside]];
    return [
      `the API / ${beside}`,
      shownRatio(perSecond(api), perSecond(other)),
      shownRatio(latency(api, 0.5), latency(other, 0.5)),
      shownRatio(latency(api, 0.99), latency(other, 0.99)),
      '',
      '',
      '',
    ];
  };
  printTable([
    ['', 'jobs/s', 'p50 ms', 'p99 ms', 'statements/job', 'commits/job', 'CPU s/1000 jobs'],
    row('the API'),
    row('same, one INSERT'),
    row('bare, one INSERT'),
    ratio('same, one INSERT'),
    ratio('bare, one INSERT'),
  ]);
  const busy = Math.max(...Object.values(results).flatMap((turns) => turns.map(({ generatorBusy }) => generatorBusy)));
  process.stdout.write(
    `  rows stored = answers with 202 in every turn; load generator busy at most ${shown(busy * 100, 0)} %\n`,
  );
}
