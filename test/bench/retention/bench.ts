import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type Pool } from 'pg';
import { BrokerRoutes } from '@app/configuration';
import { callerPool, createLedgerPool, keepForever, ledgerRetention, OutboxWakeUp, relayPool } from '@app/ledger';
import { JobsService, MessagingSignals } from '@app/messaging';
import { Retention } from '../../../libs/messaging/src/relay/retention';
import { freshDatabase } from '../../support/postgres';
import { emptyJob } from '../drain/empty-job';
import { endingWith } from '../measuring/ending';
import { quantile } from '../measuring/statistics';
import { printTable, shownRatio, shownSpread } from '../measuring/table';
import { inTurns } from '../measuring/turns';

export interface RetentionOptions {
  readonly repeats: number;
  /** Finished jobs that are old enough, at the beginning of each turn. */
  readonly jobs: number;
  /** Jobs that callers enqueue in a second, at fixed times. */
  readonly rate: number;
  readonly seconds: number;
}

interface Turn {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Undefined without retention. */
  readonly deletedPerSecond: number | undefined;
}

const dayMs = 24 * 3_600 * 1_000;

/** Callers enqueue jobs at a fixed rate, without retention and beside it; in turns. */
export async function benchRetention({ repeats, jobs, rate, seconds }: RetentionOptions): Promise<void> {
  const turn = (deletes: boolean) => () => retentionTurn(deletes, jobs, rate, seconds);
  const turns = await inTurns<'without' | 'with', Turn>(repeats, { without: turn(false), with: turn(true) });
  const of = (name: keyof typeof turns, key: keyof Turn) => turns[name].map((one) => one[key]!);
  process.stdout.write(
    `\nretention: ${rate} jobs a second are enqueued for ${seconds} s beside ${jobs} old jobs; ${repeats} turns\n`,
  );
  printTable([
    ['', 'enqueue p50, ms', 'enqueue p99, ms', 'p99, compared', 'jobs deleted a second'],
    ...(['without', 'with'] as const).map((name) => [
      `${name} retention`,
      shownSpread(of(name, 'p50Ms'), 2),
      shownSpread(of(name, 'p99Ms'), 2),
      shownRatio(of(name, 'p99Ms'), of('without', 'p99Ms')),
      name === 'with' ? shownSpread(of(name, 'deletedPerSecond'), 0) : '-',
    ]),
  ]);
}

async function retentionTurn(deletes: boolean, jobs: number, rate: number, seconds: number): Promise<Turn> {
  const database = await freshDatabase();
  await fillOldJobs(database.url, jobs);
  const [callers, relay] = [callerPool, relayPool].map((settings) =>
    createLedgerPool(database.url, 'bench', settings),
  ) as [Pool, Pool];
  return endingWith(
    async () => {
      await Promise.all([callers.end(), relay.end()]);
      await database.drop();
    },
    async () => {
      const signals = new MessagingSignals();
      let deleted = 0;
      signals.on('deleted', (what, count) => (deleted += what === 'jobs' ? count : 0));
      const stopped = new AbortController();
      const ages = { ...keepForever, endedMs: 30 * dayMs, failedMs: 90 * dayMs };
      const beganAt = performance.now();
      let endedAt: number | undefined;
      const walk = deletes
        ? new Retention(relay, { walks: ledgerRetention, ages }, signals)
            .run(stopped.signal)
            .then(() => (endedAt = performance.now()))
        : undefined;
      const took = await enqueueAt(rate, seconds, callers, signals);
      stopped.abort();
      await walk;
      return {
        p50Ms: quantile(took, 0.5),
        p99Ms: quantile(took, 0.99),
        deletedPerSecond: endedAt === undefined ? undefined : deleted / ((endedAt - beganAt) / 1_000),
      };
    },
  );
}

/** @returns the time of each enqueue, in milliseconds, from the moment when it was due: a late one has waited, too */
async function enqueueAt(rate: number, seconds: number, pool: Pool, signals: MessagingSignals): Promise<number[]> {
  const definition = emptyJob('memory', 1);
  const jobs = new JobsService(pool, new OutboxWakeUp(pool), new BrokerRoutes(['memory'], [definition]), signals);
  const payload = { to: 'ada@example.com', subject: 'Hello', text: 'Hello' };
  const took: number[] = [];
  const open: Promise<void>[] = [];
  const beganAt = performance.now();
  for (let n = 0; n < rate * seconds; n += 1) {
    const dueAt = beganAt + (n * 1_000) / rate;
    while (performance.now() < dueAt) await sleep(dueAt - performance.now());
    open.push(
      jobs.enqueue(definition, payload, { tenant: 'bench' }).then(() => void took.push(performance.now() - dueAt)),
    );
  }
  await Promise.all(open);
  return took;
}

/** Completed jobs with all the rows that a job leaves: three updates, an idempotency key, a dedupe row. */
async function fillOldJobs(databaseUrl: string, jobs: number): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(
    `WITH old AS (
       INSERT INTO job (id, tenant, kind, version, queue, broker, state, priority, attempt, max_attempts, sequence, run_at,
                        created_at, started_at, finished_at, progress, payload, result)
       SELECT uuid_v7(at), 'bench', 'bench.empty', 1, 'bench', 'memory', 'completed', 2, 1, 3, 3, at, at, at, at, 100,
              jsonb_build_object('to', 'user' || n || '@example.com', 'subject', 'Hello', 'text', 'Hello'), '{}'
         FROM generate_series(1, $1::int) n, LATERAL (SELECT now() - interval '40 days' + n * interval '10 ms') t (at)
        ORDER BY n
       RETURNING id, kind, created_at
     ), updates AS (
       INSERT INTO job_update (job_id, sequence, type, data, at, tenant)
       SELECT id, sequence, 'state', jsonb_build_object('state', state), created_at, 'bench'
         FROM old, (VALUES (1, 'queued'), (2, 'active'), (3, 'completed')) s (sequence, state)
     ), keys AS (
       INSERT INTO idempotency_key (tenant, route, key, body_hash, job_id)
       SELECT 'bench', 'POST /bench', id::text, 'x', id FROM old
     )
     INSERT INTO processed_message (consumer, message_id, processed_at) SELECT kind, id, created_at FROM old`,
    [jobs],
  );
  await client.query('VACUUM (ANALYZE) job, job_update, idempotency_key, processed_message');
  await client.end();
}
