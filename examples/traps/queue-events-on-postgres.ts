/**
 * Trap: on BullMQ's PostgreSQL backend a QueueEvents misses events of jobs that end at the same time.
 *
 * It reads the rows of the table `event` with an id above the last one that it has seen. PostgreSQL gives out the ids
 * before the commit, and transactions commit in another order. A row that commits after a row with a higher id is never
 * read. `waitUntilFinished` then waits for ever, or until its time-out, for a job that has completed. (On Redis an
 * event gets its id when it is written, by one thread.)
 * Under load this happens by chance. Here a trigger makes one transaction commit late, as a busy disk does.
 * The cure: an event is a hint to look, and the state of the job is the truth. Wait with a short time-out, and then ask
 * for the state. A reader that needs every event reads again from '0' after a pause.
 *
 * Needs: postgres
 * Expect:
 *   wrong: heard of 2 completed jobs: quick
 *   right: asked for their state: 2 of 2 completed
 *   right: read again from '0': slow, quick
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createPostgresBackend, runMigrations, withBackend } from 'bullmq';
import { Client } from 'pg';

const name = `example-queue-events-${randomUUID()}`;
const { Queue, QueueEvents, Worker } = withBackend(createPostgresBackend);
const connection = process.env.DATABASE_URL!;
const database = new Client({ connectionString: connection });

/** The transaction that completes the job `slow` has its event id for a second before it commits. */
const commitLate = `
  CREATE FUNCTION bullmq.commit_late() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN PERFORM pg_sleep(1); RETURN NULL; END';
  CREATE TRIGGER commit_late AFTER INSERT ON bullmq.event FOR EACH ROW
    WHEN (NEW.event = 'completed' AND NEW.data ->> 'jobId' = 'slow') EXECUTE FUNCTION bullmq.commit_late()`;

async function isCommittingLate(): Promise<boolean> {
  const { rowCount } = await database.query(
    `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`,
  );
  return rowCount === 1;
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  await database.connect();
  await runMigrations(database);
  await database.query(commitLate);
  const queue = new Queue(name, { connection });
  const live = new QueueEvents(name, { connection });
  const heard = new Set<string>();
  live.on('completed', ({ jobId }) => heard.add(jobId));
  live.on('error', () => undefined); // A close ends its wait for a notification with an error.
  await live.waitUntilReady();

  const worker = new Worker(name, async () => undefined, { connection, concurrency: 2 });
  const slow = await queue.add('email', {}, { jobId: 'slow' });
  while (!(await isCommittingLate())) await delay(10);
  const quick = await queue.add('email', {}, { jobId: 'quick' });
  while (!heard.has('quick')) await delay(10);
  while ((await slow.getState()) !== 'completed') await delay(10);

  // Wrong: to trust that each event arrives. A last event shows that the reader has read everything that it will.
  await queue.add('email', {}, { jobId: 'last' });
  while (!heard.has('last')) await delay(10);
  heard.delete('last');
  console.log(`wrong: heard of 2 completed jobs: ${[...heard].join(', ')}`);

  // Right: ask for the state.
  const states = await Promise.all([slow, quick].map((job) => job.getState()));
  const completed = states.filter((state) => state === 'completed').length;
  console.log(`right: asked for their state: ${completed} of 2 completed`);

  // Right, for a reader of all events: all transactions have committed by now.
  const again: string[] = [];
  const replay = new QueueEvents(name, { connection, lastEventId: '0' });
  replay.on('completed', ({ jobId }) => again.push(jobId));
  replay.on('error', () => undefined);
  while (!again.includes('last')) await delay(10);
  console.log(`right: read again from '0': ${again.slice(0, -1).join(', ')}`);

  await Promise.all([live.close(), replay.close(), worker.close()]);
  await queue.obliterate({ force: true });
  await queue.close();
  await database.query('DROP TRIGGER commit_late ON bullmq.event; DROP FUNCTION bullmq.commit_late');
  await database.end();

  assert.deepEqual([...heard], ['quick']);
  assert.equal(completed, 2);
  assert.deepEqual(again, ['slow', 'quick', 'last']);
}

void main();
