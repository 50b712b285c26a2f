import { BenchProcess } from '../measuring/bench-process';
import { startMeter, type Cost } from '../measuring/meter';
import { onStage, type Stage } from '../measuring/stage';
import { benchQueue } from './bench-queue';
import { fillByHand, fillByRelay, type Backlog } from './backlog';
import type { Contender } from './contenders';
import type { BenchDriver } from './drivers';
import type { DrainReport } from './finish-line';

export interface DrainTurn extends Backlog, DrainReport {
  readonly jobs: number;
  /** What the broker counts as failed, although no job failed: BullMQ could not write that it was completed. */
  readonly failedOnBroker: number;
  readonly cost: Cost;
}

/** The part of a backlog that is warm-up. */
const warmUpPart = 0.2;

/** Drains a backlog with one contender, with its own database and its own names on the broker. */
export function drainTurn(
  driver: BenchDriver,
  contender: Contender,
  jobs: number,
  concurrency: number,
): Promise<DrainTurn> {
  return onStage(driver, [benchQueue], async (stage) => {
    const backlog = await (contender.keepsLedger
      ? fillByRelay(stage, jobs, contender.tracedOneOf)
      : fillByHand(stage, jobs));
    await assertDepth(stage, jobs);
    const turn = await drain(stage, contender, jobs, concurrency);
    await assertDepth(stage, 0);
    if (contender.keepsLedger) await assertLedger(stage, jobs);
    return { ...backlog, ...turn, jobs, failedOnBroker: await stage.broker.failed() };
  });
}

async function drain(stage: Stage, contender: Contender, jobs: number, concurrency: number) {
  // Autovacuum does this within the first minute of any table.
  await stage.pool.query('VACUUM ANALYZE');
  const environment = {
    ...stage.environment,
    BENCH_CONCURRENCY: String(concurrency),
    BENCH_BROKER: stage.driver.broker,
    ...contender.environment,
  };
  return BenchProcess.during(contender.process, environment, async (child) => {
    const stop = await startMeter(stage.pool);
    const reported = child.message<DrainReport>();
    child.send({ jobs, warmUp: Math.ceil(jobs * warmUpPart) });
    const report = await reported;
    const cost = await stop();
    if (report.runs !== jobs) throw new Error(`${contender.process}: ${jobs} jobs, but ${report.runs} runs.`);
    return { ...report, cost };
  });
}

async function assertDepth({ broker }: Stage, expected: number): Promise<void> {
  const depth = await broker.depth();
  if (depth !== expected) throw new Error(`Expected ${expected} messages on the broker, found ${depth}.`);
}

/**
 * Checks the rows of a contender with a ledger.
 * @throws Error unless every job was completed, once, at its first attempt, with all its updates and events
 */
async function assertLedger({ pool }: Stage, jobs: number): Promise<void> {
  const { rows } = await pool.query<Record<string, number>>(
    `SELECT (SELECT count(*)::int FROM job) AS jobs,
            (SELECT count(*)::int FROM job
              WHERE state = 'completed' AND attempt = 1 AND dispatch = 1 AND sequence = 3 AND progress = 100
                AND result = '{}' AND started_at IS NOT NULL AND finished_at IS NOT NULL) AS completed,
            (SELECT count(*)::int FROM job_update WHERE data = '{"state": "active", "attempt": 1}') AS claimed,
            (SELECT count(*)::int FROM job_update WHERE data = '{"state": "completed", "attempt": 1}') AS settled,
            (SELECT count(*)::int FROM job_update) AS events,
            (SELECT count(*)::int FROM processed_message) AS processed,
            (SELECT count(*)::int FROM event_outbox WHERE data->>'state' = 'completed' AND key = data->>'id') AS announced,
            (SELECT count(*)::int FROM outbox) + (SELECT count(*)::int FROM dead_letter) AS others`,
  );
  const expected = {
    jobs,
    completed: jobs,
    claimed: jobs,
    settled: jobs,
    events: 3 * jobs,
    processed: jobs,
    announced: jobs,
    others: 0,
  };
  if (JSON.stringify(rows[0]) !== JSON.stringify(expected)) {
    throw new Error(`Expected ${JSON.stringify(expected)} in the ledger, found ${JSON.stringify(rows[0])}.`);
  }
}
