import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import { OutboxWakeUp, recordProgress } from '@app/ledger';
import { freePort } from '../../../scripts/postgres/free-port';
import { residentMb } from '../../support/resident-mb';
import { TestSystem } from '../../support/system';
import { until } from '../../support/until';
import { HttpConnection } from '../enqueue/http-connection';
import { BenchProcess } from '../measuring/bench-process';
import { endingWith } from '../measuring/ending';
import { productTimes } from '../measuring/product-times';
import { quantile } from '../measuring/statistics';
import { printTable, shownRatio, shownSpread } from '../measuring/table';
import { inTurns, type Results } from '../measuring/turns';
import { StreamConnection } from './stream-connection';

export interface SseOptions {
  readonly repeats: number;
  readonly streams: number;
  readonly seconds: number;
  readonly rate: number;
}

interface Turn {
  readonly latenciesMs: readonly number[];
  readonly residentMb: number;
}

type Contender = 'api' | 'bare server';

/** The interval in which events are written. */
const tickMs = 20;
const openAtOnce = 50;

/**
 * Opens one stream for each of many jobs, and records progress of some of them, as workers do. The time counts from
 * before the statement until the event is read. The bare server writes to its streams what it receives; its time
 * counts from before the request.
 */
export async function benchSse({ repeats, streams, seconds, rate }: SseOptions): Promise<void> {
  const limits = { STREAMS_PER_TENANT: '100000', STREAMS_PER_PROCESS: '100000' };
  const system = await TestSystem.start({ apps: ['api'], environment: { ...productTimes, ...limits } });
  await endingWith(
    () => system.stop(),
    async () => {
      const ids = await activeJobs(system.pool, streams);
      const wakeUp = new OutboxWakeUp(system.pool);
      const port = await freePort();
      const bareUrl = `http://127.0.0.1:${port}`;
      await BenchProcess.during('bare-streams', { PORT: String(port) }, async (bare) => {
        const paths = ids.map((id) => `/v1/jobs/${id}/events`);
        const caller = await HttpConnection.open(bareUrl);
        const through = async (which: readonly number[], note: string): Promise<void> => {
          await recordProgress(
            system.pool,
            which.map((index) => ({ id: ids[index]!, dispatch: 1, percent: 1, note })),
          );
          wakeUp.request('changes');
        };
        const straight = async (which: readonly number[], note: string): Promise<void> => {
          await caller.post('/', JSON.stringify({ paths: which.map((index) => paths[index]), note }));
        };
        const turn = (url: string, process: ChildProcess, write: typeof through) => () =>
          measure({ url, process, paths, write, seconds, rate });
        const results = await inTurns<Contender, Turn>(repeats, {
          api: turn(system.url(), system.processes.get('api')!, through),
          'bare server': turn(bareUrl, bare.child, straight),
        });
        caller.close();
        report(results, `${streams} streams, ${rate} events/s, ${repeats} turns of ${seconds} s`);
      });
    },
  );
}

async function activeJobs(pool: Pool, count: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `WITH jobs AS (
       INSERT INTO job (id, tenant, kind, version, queue, broker, state, priority, max_attempts, run_at, payload, lease_until)
       SELECT gen_random_uuid(), 'demo', 'email.send', 1, 'email', 'bullmq', 'active', 2, 1, now(), '{}', now() + interval '1 day'
         FROM generate_series(1, $1)
       RETURNING *
     ), events AS (
       INSERT INTO job_update (tenant, job_id, sequence, type, data)
       SELECT tenant, id, sequence, 'state', '{"state": "active", "attempt": 1}' FROM jobs
     )
     SELECT id FROM jobs`,
    [count],
  );
  return rows.map(({ id }) => id);
}

interface Load {
  readonly url: string;
  readonly process: ChildProcess;
  readonly paths: readonly string[];
  readonly write: (which: readonly number[], note: string) => Promise<void>;
  readonly seconds: number;
  readonly rate: number;
}

/** @throws Error unless every event has arrived exactly once */
async function measure({ url, process, paths, write, seconds, rate }: Load): Promise<Turn> {
  const latenciesMs: number[] = [];
  const startedAt = performance.now();
  // A stream begins with past events: events of another turn do not count.
  const onEvent = (sentAt: number): void => {
    if (sentAt >= startedAt) latenciesMs.push(performance.now() - sentAt);
  };
  const open: StreamConnection[] = [];
  return endingWith(
    () => {
      for (const stream of open) stream.close();
    },
    async () => {
      for (let from = 0; from < paths.length; from += openAtOnce) {
        const part = paths.slice(from, from + openAtOnce);
        open.push(...(await Promise.all(part.map((path) => StreamConnection.open(url, path, onEvent)))));
      }
      let sent = 0;
      const beganAt = performance.now();
      while (performance.now() < beganAt + seconds * 1_000) {
        const due = Math.floor(((performance.now() - beganAt) / 1_000) * rate) - sent;
        // Other jobs each time, because a job writes its progress at most twice a second.
        const which = Array.from({ length: Math.min(due, paths.length) }, (_, n) => (sent + n) % paths.length);
        sent += which.length;
        if (which.length > 0) await write(which, `at ${performance.now().toFixed(3)}`);
        await delay(tickMs);
      }
      await until(
        'every event has arrived',
        () => Promise.resolve(latenciesMs.length),
        (count) => count >= sent,
      );
      if (latenciesMs.length > sent) throw new Error(`${sent} events were sent, ${latenciesMs.length} have arrived.`);
      return { latenciesMs, residentMb: residentMb(process) };
    },
  );
}

function report({ api, 'bare server': bare }: Results<Contender, Turn>, how: string): void {
  process.stdout.write(`\nsse: GET /v1/jobs/{id}/events beside a bare server; ${how}\n`);
  const latency = (turns: readonly Turn[], q: number) => turns.map(({ latenciesMs }) => quantile(latenciesMs, q));
  const resident = (turns: readonly Turn[]) => turns.map((turn) => turn.residentMb);
  const row = (name: string, turns: readonly Turn[]) => [
    name,
    shownSpread(latency(turns, 0.5), 1),
    shownSpread(latency(turns, 0.99), 1),
    shownSpread(resident(turns), 0),
  ];
  printTable([
    ['', 'p50 ms', 'p99 ms', 'resident MB'],
    row('api', api),
    row('bare server', bare),
    [
      'ratio',
      shownRatio(latency(api, 0.5), latency(bare, 0.5)),
      shownRatio(latency(api, 0.99), latency(bare, 0.99)),
      shownRatio(resident(api), resident(bare)),
    ],
  ]);
  process.stdout.write('  events received = events sent in every turn\n');
}
