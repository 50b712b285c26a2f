/**
 * The outbox: a message is published if, and only if, the row that it tells of is committed.
 *
 * A database and a broker have no common transaction. A process can die between the two writes:
 * - It commits and then publishes: the order is there, and its message is lost.
 * - It publishes and then commits: the message is there, and its order is not. The message is invented.
 * - Outbox: the message is a row in the transaction of the order. A relay publishes it, and then deletes it. A relay
 *   that dies in between publishes again, with the same id. The consumer drops the copy (idempotent-consumer.ts).
 *
 * Needs: postgres, rabbitmq
 * Expect:
 *   commits, then publishes: orders: 1, messages: 0, ids: 0
 *   publishes, then commits: orders: 0, messages: 1, ids: 1
 *   outbox, dies before the commit: orders: 0, messages: 0, ids: 0
 *   outbox, relay dies after the confirm: orders: 1, messages: 2, ids: 1
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect, type ConfirmChannel } from 'amqplib';
import { Pool, type PoolClient } from 'pg';

const pool = new Pool({ connectionString: process.env.DATABASE_URL });
const queue = `example-outbox-${randomUUID()}`;
/** The process dies: an open transaction is rolled back, and nothing that follows runs. */
function die(): never {
  throw new Error('died');
}

async function publish(channel: ConfirmChannel, order: string, messageId: string): Promise<void> {
  channel.sendToQueue(queue, Buffer.from(order), { persistent: true, messageId });
  await channel.waitForConfirms();
}

const insertOrder = (db: Pool | PoolClient, id: string) => db.query('INSERT INTO shop_order (id) VALUES ($1)', [id]);

async function commitThenPublish(channel: ConfirmChannel, order: string): Promise<void> {
  await insertOrder(pool, order);
  die();
  await publish(channel, order, randomUUID());
}

async function publishThenCommit(channel: ConfirmChannel, order: string): Promise<void> {
  await inTransaction(async (client) => {
    await insertOrder(client, order);
    await publish(channel, order, randomUUID());
    die();
  });
}

async function addOrder(order: string, beforeCommit?: () => void): Promise<void> {
  await inTransaction(async (client) => {
    await insertOrder(client, order);
    await client.query('INSERT INTO shop_outbox (id, order_id) VALUES ($1, $2)', [randomUUID(), order]);
    beforeCommit?.();
  });
}

/** Several relays may run: each skips the rows that another one has locked. */
async function relay(channel: ConfirmChannel, afterConfirm?: () => void): Promise<void> {
  await inTransaction(async (client) => {
    const { rows } = await client.query<{ id: string; order: string }>(
      'SELECT id, order_id AS order FROM shop_outbox ORDER BY n LIMIT 100 FOR UPDATE SKIP LOCKED',
    );
    for (const { id, order } of rows) await publish(channel, order, id);
    afterConfirm?.();
    await client.query('DELETE FROM shop_outbox WHERE id = ANY($1)', [rows.map(({ id }) => id)]);
  });
}

async function inTransaction(work: (client: PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await work(client);
    await client.query('COMMIT');
  } finally {
    await client.query('ROLLBACK'); // Has no effect after a commit.
    client.release();
  }
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  await pool.query('CREATE TABLE shop_order (id text); CREATE TABLE shop_outbox (n serial, id uuid, order_id text)');
  const connection = await connect(process.env.RABBITMQ_URL || 'amqp://localhost:5672');
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(queue, { durable: true });

  await assert.rejects(commitThenPublish(channel, 'commits, then publishes'), /died/);
  await assert.rejects(publishThenCommit(channel, 'publishes, then commits'), /died/);
  await assert.rejects(addOrder('outbox, dies before the commit', die), /died/);
  await relay(channel);
  await addOrder('outbox, relay dies after the confirm');
  await assert.rejects(relay(channel, die), /died/);
  await relay(channel); // The row is still there.
  await relay(channel); // Now it is gone.

  const orders = (await pool.query<{ id: string }>('SELECT id FROM shop_order')).rows.map(({ id }) => id);
  const messages: { order: string; id: string }[] = [];
  for (let message; (message = await channel.get(queue, { noAck: true }));) {
    messages.push({ order: message.content.toString(), id: String(message.properties.messageId) });
  }
  const show = (order: string, ...expected: number[]): void => {
    const ids = messages.filter((message) => message.order === order).map(({ id }) => id);
    const found = [orders.filter((id) => id === order).length, ids.length, new Set(ids).size];
    console.log(`${order}: orders: ${found[0]}, messages: ${found[1]}, ids: ${found[2]}`);
    assert.deepEqual(found, expected);
  };
  show('commits, then publishes', 1, 0, 0); // Lost.
  show('publishes, then commits', 0, 1, 1); // Invented.
  show('outbox, dies before the commit', 0, 0, 0);
  show('outbox, relay dies after the confirm', 1, 2, 1);
  await channel.deleteQueue(queue);
  await connection.close();
  await pool.end();
}

void main();
