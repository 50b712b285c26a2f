/**
 * Trap: "SET is idempotent, so a second delivery does no harm": a late one overwrites a newer value.
 *
 * The same SET twice in a row has the effect of one. But a redelivery is not "in a row": it comes after other messages.
 * Here the first price is written, its job fails after the write, the second price is written, and the retry of the
 * first job writes the old price again.
 * The cure: a version in the message, compared in the statement that writes (here in a script, because Redis has no
 * conditional HSET; in SQL: `UPDATE … WHERE version < $1`).
 *
 * Needs: redis
 * Expect:
 *   wrong: prices sent: 10, then 12; stored: 10
 *   right: prices sent: 10, then 12; stored: 12
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Queue, QueueEvents, Worker, type Job } from 'bullmq';
import { Redis } from 'ioredis';

interface Price {
  readonly value: number;
  readonly version: number;
}

const connection = { url: process.env.REDIS_URL || 'redis://localhost:6379' };
const redis = new Redis(connection.url);

/** Writes the value unless the key has the same or a newer version. */
const writeIfNewer = `
  if tonumber(redis.call('HGET', KEYS[1], 'version') or 0) >= tonumber(ARGV[2]) then return 0 end
  return redis.call('HSET', KEYS[1], 'value', ARGV[1], 'version', ARGV[2])`;

/** @returns the stored price after both jobs have completed */
async function update(write: (key: string, price: Price) => Promise<unknown>): Promise<string | null> {
  const name = `example-redis-set-${randomUUID()}`;
  const queue = new Queue<Price>(name, { connection });
  const events = new QueueEvents(name, { connection, lastEventId: '0' }); // '0': from the first event of the queue.
  await events.waitUntilReady();
  const worker = new Worker<Price>(
    name,
    async (job: Job<Price>) => {
      await write(name, job.data);
      // The value is written, and the worker loses its connection before it can say so.
      if (job.data.version === 1 && job.attemptsMade === 0) throw new Error('connection lost');
    },
    { connection },
  );

  const failed = once(worker, 'failed');
  const first = await queue.add('price', { value: 10, version: 1 }, { attempts: 2, backoff: 60_000 });
  await failed;
  const second = await queue.add('price', { value: 12, version: 2 });
  await second.waitUntilFinished(events);
  await (await queue.getJob(first.id!))!.promote(); // The back-off is over.
  await first.waitUntilFinished(events);

  const stored = (await redis.type(name)) === 'hash' ? await redis.hget(name, 'value') : await redis.get(name);
  await redis.del(name);
  await worker.close();
  await events.close();
  await queue.obliterate({ force: true });
  await queue.close();
  return stored;
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const wrong = await update((key, { value }) => redis.set(key, value));
  console.log(`wrong: prices sent: 10, then 12; stored: ${wrong}`);
  const right = await update((key, { value, version }) => redis.eval(writeIfNewer, 1, key, value, version));
  console.log(`right: prices sent: 10, then 12; stored: ${right}`);
  redis.disconnect();

  assert.deepEqual([wrong, right], ['10', '12']);
}

void main();
