/**
 * Retry, dead letter, redrive: what happens to a job that fails.
 *
 * A handler that throws, or returns `retry`, is run again after the delay of its definition. A handler that returns
 * `fail` says that a retry cannot help. A job that has failed for good is dead-lettered: it is kept with its reason
 * until it is redriven. A redriven job starts again with all its attempts.
 * The core does this above the driver, so it is the same on each broker.
 *
 * Expect:
 *   order 1, attempt 1: the bank does not answer
 *   order 1, attempt 2: the bank does not answer
 *   order 1, attempt 3: charged
 *   order 2, attempt 1: the card has expired
 *   dead letter: payment.charge, refused_by_handler: the card has expired
 *   redrive: 1 job
 *   order 2, attempt 1: charged
 *   order 1 completed, order 2 completed
 *   delays of at least 100 and 200 ms
 */
import assert from 'node:assert/strict';
import { z } from 'zod';
import { defineJob, exponential } from '@app/contracts';
import { listDeadLetters, redrive } from '@app/ledger';
import { done, fail } from '@app/messaging';
import { onJob, runCore } from '@app/testing';

const charge = defineJob({
  kind: 'payment.charge',
  version: 1,
  queue: 'payment',
  broker: 'memory',
  payload: z.strictObject({ order: z.int() }),
  result: z.strictObject({ charged: z.literal(true) }),
  retry: exponential({ attempts: 3, base: '100ms', max: '1s', jitter: 'none' }),
  timeout: '10s',
  concurrency: 5,
});

const anyKind = { kind: undefined, broker: undefined, before: undefined };

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  let cardIsValid = false;
  const attemptsOfOrder1: number[] = [];
  const core = await runCore({
    databaseUrl: process.env.DATABASE_URL!,
    jobs: [
      onJob(charge, async ({ payload: { order }, attempt }) => {
        if (order === 1) attemptsOfOrder1.push(performance.now());
        const say = (what: string) => console.log(`order ${order}, attempt ${attempt}: ${what}`);
        if (order === 1 && attempt < 3) {
          say('the bank does not answer');
          throw new Error('the bank does not answer'); // A fault that may pass: the job is retried.
        }
        if (order === 2 && !cardIsValid) {
          say('the card has expired');
          return fail('the card has expired'); // A fault that stays: no attempt is wasted on it.
        }
        say('charged');
        return done({ charged: true });
      }),
    ],
  });

  const first = await core.enqueue(charge, { order: 1 });
  await core.ended(first);
  const second = await core.enqueue(charge, { order: 2 });
  await core.ended(second);

  for (const { kind, reason, detail } of await listDeadLetters.run(core.pool, {
    ...anyKind,
    isRedriven: false,
    limit: 10,
  })) {
    console.log(`dead letter: ${kind}, ${reason}: ${detail}`);
  }

  cardIsValid = true;
  // By the ids of jobs here. By kind or broker, one call redrives up to 1,000 jobs.
  const redriven = await redrive.run(core.pool, { ...anyKind, ids: [second], by: 'the example' });
  console.log(`redrive: ${redriven.length} job`);

  const states = [(await core.ended(first)).state, (await core.ended(second)).state];
  console.log(`order 1 ${states[0]}, order 2 ${states[1]}`);
  const delays = attemptsOfOrder1.slice(1).map((at, index) => Math.round(at - attemptsOfOrder1[index]!));
  console.log(`delays of at least 100 and 200 ms (were ${delays.join(', ')})`);
  await core.close();

  assert.deepEqual(states, ['completed', 'completed']);
  assert.ok(delays[0]! >= 95 && delays[1]! >= 195, 'A retry came too early.');
}

void main();
