import { randomUUID } from 'node:crypto';
import type { Job } from 'bullmq';
import { cell, connectPlain } from './plain-connection';
import { moment } from './moment';

const { pool, workers, WorkerClass } = connectPlain();

/** What was begun after its acknowledgement, one after the other. */
let afterwards: Promise<void> = Promise.resolve();

/** Workers as they are written; each is right until its process dies at the wrong moment. */
const ways: Record<string, (job: Job<{ n: number }>) => Promise<void>> = {
  /** For BullMQ the job is done when the processor returns. */
  'acks on receipt': ({ data }) => {
    afterwards = afterwards.then(() => {
      moment();
      return effect(data.n, String(data.n));
    });
    return Promise.resolve();
  },

  'acks on receipt, slow mail server': () => {
    afterwards = new Promise(() => undefined);
    return Promise.resolve();
  },

  'key of the message': ({ data, id }) => effect(data.n, id!),

  'new key at every run': async ({ data }) => {
    await effect(data.n, randomUUID());
    moment();
  },

  'marks as sent, never asks': async ({ data }) => {
    await effect(data.n, randomUUID());
    await pool.query('UPDATE plain_order SET sent = true WHERE cell = $1 AND n = $2', [cell, data.n]);
    moment();
  },

  'dedupe row, then the effect': async ({ data }) => {
    if (!(await isFirst(data.n))) return;
    moment();
    await effect(data.n, String(data.n));
  },

  'effect, then the dedupe row': async ({ data }) => {
    if (await isDone(data.n)) return;
    await effect(data.n, String(data.n));
    moment();
    await isFirst(data.n);
  },

  'no dedupe row': async ({ data }) => {
    await effect(data.n, String(data.n));
    moment();
  },
};

async function effect(n: number, key: string): Promise<void> {
  await pool.query('INSERT INTO plain_effect (cell, n, key) VALUES ($1, $2, $3)', [cell, n, key]);
}

async function isDone(n: number): Promise<boolean> {
  return (await pool.query('SELECT FROM plain_processed WHERE cell = $1 AND n = $2', [cell, n])).rowCount === 1;
}

async function isFirst(n: number): Promise<boolean> {
  const insert = 'INSERT INTO plain_processed (cell, n) VALUES ($1, $2) ON CONFLICT DO NOTHING';
  return (await pool.query(insert, [cell, n])).rowCount === 1;
}

// One at a time, so that the count of what is harmed is the same in every run.
const worker = new WorkerClass(cell, ways[process.env['WAY']!], { ...workers, concurrency: 1 });
worker.on('error', () => undefined);
void worker.waitUntilReady().then(() => process.send!('ready'));

// Does not wait for what it has acknowledged already: nobody would miss it, as far as BullMQ knows.
process.on('SIGTERM', () => process.exit(0));
/** The test's own way to end it, which harms nothing. */
process.on(
  'message',
  () =>
    void worker
      .close()
      .then(() => afterwards)
      .then(() => process.exit(0)),
);
