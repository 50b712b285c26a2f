/**
 * One job, from its definition to its result.
 *
 * A definition says what a job takes and returns, and how it is retried. A handler does the work. `enqueue` resolves
 * when the job is committed to PostgreSQL, the ledger. From there the relay publishes it to a broker, a worker claims it
 * and runs the handler, and the ledger gets the result.
 * Here all of this runs in one process, and the memory driver replaces the broker. In an app, each part is a process.
 *
 * Expect:
 *   the ledger has the job
 *   the relay has published it to memory
 *   a worker has claimed it, attempt 1
 *   the handler greets Ada
 *   the ledger has the result
 *   completed after 1 of 3 attempts: {"text":"Hello, Ada!"}
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { z } from 'zod';
import { defineJob, exponential } from '@app/contracts';
import { done } from '@app/messaging';
import { onJob, runCore } from '@app/testing';

const greet = defineJob({
  kind: 'greeting.send',
  version: 1,
  queue: 'greeting',
  broker: 'memory',
  payload: z.strictObject({ name: z.string() }),
  result: z.strictObject({ text: z.string() }),
  retry: exponential({ attempts: 3, base: '1s', max: '1m', jitter: 'full' }),
  timeout: '10s', // for one attempt
  concurrency: 5, // handlers at once in one worker
});

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const core = await runCore({
    databaseUrl: process.env.DATABASE_URL!,
    jobs: [
      onJob(greet, async ({ payload }) => {
        console.log(`the handler greets ${payload.name}`);
        return done({ text: `Hello, ${payload.name}!` }); // Checked against the schema of the result.
      }),
    ],
  });
  // The core reports each step as a signal; logs and metrics listen to the same ones.
  core.signals.on('accepted', () => console.log('the ledger has the job'));
  core.signals.on('confirmed', (broker) => console.log(`the relay has published it to ${broker}`));
  core.signals.on('claimed', ({ attempt }) => console.log(`a worker has claimed it, attempt ${attempt}`));
  core.signals.on('settled', () => console.log('the ledger has the result'));

  const settled = once(core.signals, 'settled');
  const id = await core.enqueue(greet, { name: 'Ada' });
  await settled;
  const job = await core.ended(id);
  console.log(`${job.state} after ${job.attempt} of ${job.maxAttempts} attempts: ${JSON.stringify(job.result)}`);
  await core.close();

  assert.equal(job.state, 'completed');
}

void main();
