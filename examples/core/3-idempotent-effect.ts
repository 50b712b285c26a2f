/**
 * One effect, although a request, a message and an attempt can each come twice.
 *
 * Three tools, one for each place where something is repeated:
 * - A caller that got no answer repeats its request with the same idempotency key: there is one job.
 * - An effect in this database is written with `transaction`: the effect and the end of the job commit together, or
 *   neither does.
 * - A request to a service outside carries `effectKey`, the same for every attempt: the service ignores the second one.
 *   A service without idempotency keys gets the effect at least once. No queue can change that.
 *
 * Expect:
 *   requested twice: one job
 *   attempt 1 adds 10 in the transaction, requests an email and fails
 *   attempt 2 adds 10 in the transaction, requests an email and commits
 *   balance: 10
 *   2 requests to the mail service, 1 email
 */
import assert from 'node:assert/strict';
import { z } from 'zod';
import { defineJob, fixed } from '@app/contracts';
import { done } from '@app/messaging';
import { onJob, runCore, tenant } from '@app/testing';

const deposit = defineJob({
  kind: 'account.deposit',
  version: 1,
  queue: 'account',
  broker: 'memory',
  payload: z.strictObject({ amount: z.int() }),
  result: z.strictObject({ amount: z.int() }),
  retry: fixed({ attempts: 3, delay: '50ms' }),
  timeout: '10s',
  concurrency: 5,
});

/** A service outside that has idempotency keys, as Stripe has. */
const mailService = {
  requests: 0,
  sent: new Set<string>(),
  send(idempotencyKey: string): void {
    this.requests += 1;
    this.sent.add(idempotencyKey);
  },
};

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const core = await runCore({
    databaseUrl: process.env.DATABASE_URL!,
    jobs: [
      onJob(deposit, async ({ payload: { amount }, attempt }, { effectKey, transaction }) =>
        transaction(async (tx) => {
          await tx.$executeRaw`UPDATE example_account SET balance = balance + ${amount}`;
          mailService.send(effectKey);
          const does = `attempt ${attempt} adds ${amount} in the transaction, requests an email and`;
          console.log(`${does} ${attempt === 1 ? 'fails' : 'commits'}`);
          if (attempt === 1) throw new Error('the process had a fault'); // Rolls the update back.
          return done({ amount });
        }),
      ),
    ],
  });
  await core.pool.query('CREATE TABLE example_account AS SELECT 0 AS balance');

  const payload = { amount: 10 };
  const idempotency = { route: 'POST /v1/deposits', key: 'deposit-4711', body: payload };
  const first = await core.jobs.enqueue(deposit, payload, { tenant, idempotency });
  const second = await core.jobs.enqueue(deposit, payload, { tenant, idempotency });
  console.log(`requested twice: ${first.id === second.id ? 'one job' : 'two jobs'}`);

  const job = await core.ended(first.id);
  const { rows } = await core.pool.query<{ balance: number }>('SELECT balance FROM example_account');
  console.log(`balance: ${rows[0]!.balance}`);
  console.log(`${mailService.requests} requests to the mail service, ${mailService.sent.size} email`);
  await core.close();

  assert.deepEqual([first.id === second.id, second.replayed, job.state], [true, true, 'completed']);
  assert.deepEqual([rows[0]!.balance, mailService.requests, mailService.sent.size], [10, 2, 1]);
}

void main();
