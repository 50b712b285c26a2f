/**
 * Live progress: a reader sees each update of a running job, and misses none.
 *
 * Each change of a job is a row with a sequence, written by the same statement as the change. A reader asks for the
 * updates after the sequence that it has: after a lost connection it continues where it was. A notification of
 * PostgreSQL tells it when to ask. The API's stream of server-sent events reads in the same way, with the sequence as
 * `Last-Event-ID`; it also asks once a second, since a notification may get lost.
 *
 * Expect:
 *   1 state: queued
 *   2 state: active
 *   … the connection is lost, and made again after update 2
 *   3 progress: … %, row …
 *   … progress: 100 %, done
 *   … state: completed
 *   … result: {"rows":40}
 *   … updates: none is missing, none came twice
 */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { defineJob, fixed } from '@app/contracts';
import { isLastUpdate, readJobUpdates, type JobUpdate } from '@app/ledger';
import { done, WakeUpListener } from '@app/messaging';
import { onJob, runCore } from '@app/testing';

const report = defineJob({
  kind: 'report.build',
  version: 1,
  queue: 'report',
  broker: 'memory',
  payload: z.strictObject({ rows: z.int() }),
  result: z.strictObject({ rows: z.int() }),
  retry: fixed({ attempts: 3, delay: '1s' }),
  timeout: '1m',
  concurrency: 1,
});

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const databaseUrl = process.env.DATABASE_URL!;
  const core = await runCore({
    databaseUrl,
    jobs: [
      onJob(report, async ({ payload: { rows } }, { progress, signal }) => {
        for (let row = 0; row < rows; row += 1) {
          progress((row / rows) * 100, `row ${row}`); // As often as the handler likes: written twice a second.
          await delay(50, undefined, { signal }); // The signal ends the work after a cancel or a time-out.
        }
        progress(100, 'done');
        return done({ rows });
      }),
    ],
  });
  let wake: () => void = () => undefined;
  // Calls back when a job may have changed.
  const listener = new WakeUpListener(databaseUrl, 'example', core.signals, () => wake());
  await listener.start();

  /** Yields the updates after a sequence, until the job has ended. */
  async function* updatesOf(jobId: string, after: number): AsyncGenerator<JobUpdate> {
    for (;;) {
      const woken = new Promise<void>((resolve) => (wake = resolve)); // Before the read, so that no change is missed.
      const [updates = []] = await readJobUpdates(core.pool, [{ jobId, after }]);
      for (const update of updates) {
        yield update;
        if (isLastUpdate(update)) return;
        after = update.sequence;
      }
      if (updates.length === 0) await woken;
    }
  }

  const id = await core.enqueue(report, { rows: 40 });
  const sequences: number[] = [];
  const read = async (after: number, most = Infinity): Promise<void> => {
    for await (const update of updatesOf(id, after)) {
      console.log(lineOf(update));
      if (sequences.push(update.sequence) === most) return;
    }
  };
  await read(0, 2);
  console.log('  the connection is lost, and made again after update 2');
  await read(2);
  console.log(`${sequences.length} updates: none is missing, none came twice`);
  await listener.stop();
  await core.close();

  assert.deepEqual(sequences, [...sequences.keys()].map((index) => index + 1)); // prettier-ignore
}

function lineOf({ sequence, type, data }: JobUpdate): string {
  if (type === 'state') return `${sequence} state: ${data.state}`;
  if (type === 'progress') return `${sequence} progress: ${data.percent} %, ${data.note}`;
  return `${sequence} result: ${JSON.stringify(data.result)}`;
}

void main();
