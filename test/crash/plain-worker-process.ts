import { randomUUID } from 'node:crypto';
import { moment } from './moment';
import type { PlainClient, PlainMessage } from './plain-clients/plain-client';
import { cell, pool, runPlain } from './plain-process';

interface Way {
  readonly acknowledged: Parameters<PlainClient['consume']>[1];
  readonly work: (message: PlainMessage) => Promise<void>;
}

const afterWork = (work: Way['work']): Way => ({ acknowledged: 'after work', work });
const onReceipt = (work: Way['work']): Way => ({ acknowledged: 'on receipt', work });

/** Common ways to write a worker. Each is correct until its process dies at the wrong moment. */
const ways: Record<string, Way> = {
  'acks on receipt': onReceipt(async ({ n }) => {
    moment();
    await effect(n, String(n));
  }),

  'acks on receipt, slow mail server': onReceipt(() => new Promise(() => undefined)),

  'key of the message': afterWork(({ n, id }) => effect(n, id)),

  'new key at every run': afterWork(async ({ n }) => {
    await effect(n, randomUUID());
    moment();
  }),

  'marks as sent, never asks': afterWork(async ({ n }) => {
    await effect(n, randomUUID());
    await pool.query('UPDATE plain_order SET sent = true WHERE cell = $1 AND n = $2', [cell, n]);
    moment();
  }),

  'dedupe row, then the effect': afterWork(async ({ n }) => {
    if (!(await isFirst(n))) return;
    moment();
    await effect(n, String(n));
  }),

  'effect, then the dedupe row': afterWork(async ({ n }) => {
    if (await isDone(n)) return;
    await effect(n, String(n));
    moment();
    await isFirst(n);
  }),

  'no dedupe row': afterWork(async ({ n }) => {
    await effect(n, String(n));
    moment();
  }),
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

// SIGTERM does not wait for messages that were acknowledged on receipt: for the broker they are done.
runPlain(async (client) => {
  const { acknowledged, work } = ways[process.env['WAY']!]!;
  const consumer = await client.consume(cell, acknowledged, work);
  /** The way in which the test ends the process without harm. */
  process.on(
    'message',
    () =>
      void consumer
        .stop()
        .then(() => client.close())
        .then(() => process.exit(0)),
  );
});
