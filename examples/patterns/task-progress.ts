/**
 * Progress that a reader can follow: updates with a number, so that a reconnect misses none.
 *
 * The job of a BullMQ worker writes each update as a row with the next number of its task, and then notifies. Two
 * readers follow it, are disconnected while the job goes on, and connect again:
 * - The push reader gets each update as a notification of PostgreSQL. PostgreSQL does not store notifications, so the
 *   reader never gets those that were sent while it was away.
 * - The numbered reader reads the rows after the last number that it has seen. A notification only wakes it. An
 *   EventSource does the same with `Last-Event-ID`.
 * BullMQ by itself keeps the latest progress of a job, and about the last 10,000 events of a queue, in a Redis stream,
 * where `QueueEvents` can go on after a `lastEventId`. A row stays as long as you keep it, whatever the broker is.
 *
 * Needs: postgres, redis
 * Expect:
 *   both readers leave after 40 %
 *   both readers come back after 80 %
 *   push reader: 20, 40, 100
 *   numbered reader: 20, 40, 60, 80, 100
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { Queue, Worker } from 'bullmq';
import { Client, Pool } from 'pg';

const connectionString = process.env.DATABASE_URL;
const connection = { url: process.env.REDIS_URL || 'redis://localhost:6379' };
const task = `example-task-progress-${randomUUID()}`;
const pool = new Pool({ connectionString });
/** `left`: the readers are disconnected. `at 80 %`: the job has gone on meanwhile. `back`: they are connected again. */
const signals = new EventEmitter();
const percents: Record<'pushed' | 'numbered', number[]> = { pushed: [], numbered: [] };
let lastSeen = 0;

/** The lock on the row of the task numbers the updates in the order of their commits. */
async function report(percent: number): Promise<void> {
  await pool.query(
    `WITH numbered AS (UPDATE task SET updates = updates + 1 WHERE id = $1 RETURNING id, updates)
     INSERT INTO task_update (task_id, number, percent) SELECT id, updates, $2::int FROM numbered`,
    [task, percent],
  );
  await pool.query(`SELECT pg_notify('task_update', $1)`, [String(percent)]);
}

async function work(): Promise<void> {
  const left = once(signals, 'left');
  for (const percent of [20, 40]) await report(percent);
  await left;
  for (const percent of [60, 80]) await report(percent);
  const back = once(signals, 'back');
  signals.emit('at 80 %');
  await back;
  await report(100);
}

async function listen(): Promise<Client> {
  const client = new Client({ connectionString });
  await client.connect();
  await client.query('LISTEN task_update');
  return client;
}

/** Reads what is pushed while it is connected, until a percentage. */
async function readPushed(client: Client, until: number): Promise<void> {
  client.on('notification', ({ payload }) => percents.pushed.push(Number(payload)));
  while (percents.pushed.at(-1) !== until) await once(client, 'notification');
  await client.end();
}

/** Reads every row after the last one seen, until a percentage. */
async function readNumbered(client: Client, until: number): Promise<void> {
  for (;;) {
    const wakeUp = once(client, 'notification'); // Before the read: a later change is read or wakes.
    const { rows } = await pool.query<{ number: number; percent: number }>(
      'SELECT number, percent FROM task_update WHERE task_id = $1 AND number > $2 ORDER BY number',
      [task, lastSeen],
    );
    for (const { number, percent } of rows) {
      percents.numbered.push(percent);
      lastSeen = number;
      if (percent === until) return client.end();
    }
    await wakeUp; // A notification may get lost with its connection: in production, also poll every few seconds.
  }
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  await pool.query(`CREATE TABLE task (id text PRIMARY KEY, updates int NOT NULL DEFAULT 0);
    CREATE TABLE task_update (task_id text, number int, percent int NOT NULL, PRIMARY KEY (task_id, number))`);
  await pool.query('INSERT INTO task (id) VALUES ($1)', [task]);
  const readers = [readPushed(await listen(), 40), readNumbered(await listen(), 40)];

  const queue = new Queue(task, { connection });
  const worker = new Worker(task, work, { connection });
  await queue.add('report', {});
  await Promise.all(readers);
  console.log('both readers leave after 40 %');
  const goneOn = once(signals, 'at 80 %');
  signals.emit('left');
  await goneOn;

  console.log('both readers come back after 80 %');
  const again = [readPushed(await listen(), 100), readNumbered(await listen(), 100)];
  signals.emit('back');
  await Promise.all(again);
  console.log(`push reader: ${percents.pushed.join(', ')}`);
  console.log(`numbered reader: ${percents.numbered.join(', ')}`);

  await worker.close();
  await queue.obliterate({ force: true });
  await queue.close();
  await pool.end();

  assert.deepEqual(percents, { pushed: [20, 40, 100], numbered: [20, 40, 60, 80, 100] });
}

void main();
