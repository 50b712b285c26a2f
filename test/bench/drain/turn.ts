import type { Backend } from '../../support/system';
import { BenchProcess } from '../measuring/bench-process';
import { startMeter, type Cost } from '../measuring/meter';
import { onStage, type Stage } from '../measuring/stage';
import { fillByHand, fillByRelay, type Backlog } from './backlog';
import { withDriver } from './driver';
import { benchQueue, emptyJob } from './empty-job';
import type { DrainOrder, DrainReport } from './finish-line';

export interface DrainTurn extends Backlog, DrainReport {
  readonly jobs: number;
  /** What BullMQ holds to have failed, although nothing did: it could not write that it was completed. */
  readonly failedOnBroker: number;
  readonly cost: Cost;
}

/** Jobs of the ledger, drained by a worker of this library. */
export function ledgerTurn(backend: Backend, order: DrainOrder, concurrency: number): Promise<DrainTurn> {
  return onStage(backend, async (stage) => {
    const backlog = await fillByRelay(stage, order.jobs);
    const turn = await drain(stage, 'ledger-worker', order, concurrency);
    await assertLedger(stage, order.jobs);
    return { ...backlog, ...turn };
  });
}

/** The same messages, drained by BullMQ's own worker with a processor that does nothing. */
export function bareTurn(backend: Backend, order: DrainOrder, concurrency: number): Promise<DrainTurn> {
  return onStage(backend, async (stage) => {
    const backlog = await fillByHand(stage, order.jobs);
    return { ...backlog, ...(await drain(stage, 'bare-worker', order, concurrency)) };
  });
}

async function drain(stage: Stage, worker: string, order: DrainOrder, concurrency: number) {
  // What autovacuum does within the first minute of any table.
  await stage.pool.query('VACUUM ANALYZE');
  const environment = { ...stage.environment, BENCH_CONCURRENCY: String(concurrency) };
  const turn = await BenchProcess.during(worker, environment, async (child) => {
    const stop = await startMeter(stage.pool);
    const reported = child.message<DrainReport>();
    child.send(order);
    const report = await reported;
    return { ...report, jobs: order.jobs, cost: await stop() };
  });
  if (turn.runs !== order.jobs) throw new Error(`${worker}: ${order.jobs} jobs, but ${turn.runs} runs.`);
  return withDriver(stage.settings, emptyJob(1), async ({ driver, queue }) => {
    const left = await driver.depth(benchQueue);
    if (left !== 0) throw new Error(`${worker}: ${left} messages are still on the broker.`);
    const failedOnBroker = await queue.getFailedCount();
    await queue.obliterate();
    return { ...turn, failedOnBroker };
  });
}

/** @throws Error unless every job was completed, once, at its first attempt */
async function assertLedger({ pool }: Stage, jobs: number): Promise<void> {
  const { rows } = await pool.query<Record<string, number>>(
    `SELECT (SELECT count(*)::int FROM job) AS jobs,
            (SELECT count(*)::int FROM job WHERE state = 'completed' AND attempt = 1 AND dispatch = 1) AS completed,
            (SELECT count(*)::int FROM processed_message) AS processed,
            (SELECT count(*)::int FROM outbox) + (SELECT count(*)::int FROM dead_letter) AS others`,
  );
  const expected = { jobs, completed: jobs, processed: jobs, others: 0 };
  if (JSON.stringify(rows[0]) !== JSON.stringify(expected)) {
    throw new Error(`Expected ${JSON.stringify(expected)} in the ledger, found ${JSON.stringify(rows[0])}.`);
  }
}
