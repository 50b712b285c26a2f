/**
 * Trap: the row is written in a transaction, and the message is published outside it.
 *
 * A database and a broker have no common transaction. Publish after the commit: when the process or the broker dies in
 * between, the order exists and no worker will ever hear of it. Publish before the commit: when the commit fails,
 * workers handle an order that does not exist.
 * The cure is an outbox: the message is a row, written in the transaction of the order. A relay publishes the rows,
 * waits for the confirm, and then deletes them. A relay that dies after the confirm publishes again, so the consumer
 * must be idempotent.
 *
 * Needs: postgres, rabbitmq
 * Expect:
 *   wrong: published after the commit: order 1 is stored, 0 messages
 *   wrong: published before the commit: order 2 is not stored, 1 message
 *   right: the broker is away: order 3 is stored, 1 row in the outbox
 *   right: the commit fails: order 4 is not stored, 1 row in the outbox
 *   right: the relay has published: order 3, 0 rows in the outbox
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect, type GetMessage } from 'amqplib';
import { Pool, type PoolClient } from 'pg';

const url = process.env.RABBITMQ_URL || 'amqp://localhost:5672';
const schema = `example_${randomUUID().replaceAll('-', '')}`;
const pool = new Pool({ connectionString: process.env.DATABASE_URL, options: `-c search_path=${schema}` });
const queue = `example-outside-${randomUUID()}`;

async function inTransaction(work: (client: PoolClient) => Promise<unknown>): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await work(client);
    await client.query('COMMIT');
  } catch {
    await client.query('ROLLBACK');
  } finally {
    client.release();
  }
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  await pool.query(`CREATE SCHEMA ${schema}`);
  await pool.query('CREATE TABLE orders (id int, total int CHECK (total > 0)); CREATE TABLE outbox (message text)');
  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(queue, { durable: true });
  let brokerIsAway = false;
  async function publish(message: string): Promise<void> {
    if (brokerIsAway) throw new Error('connect ECONNREFUSED');
    channel.sendToQueue(queue, Buffer.from(message), { persistent: true });
    await channel.waitForConfirms();
  }
  const messages = async (): Promise<number> => (await channel.checkQueue(queue)).messageCount;
  const rows = async (): Promise<number> => (await pool.query('SELECT FROM outbox')).rowCount!;
  async function stored(id: number): Promise<string> {
    const { rowCount } = await pool.query('SELECT FROM orders WHERE id = $1', [id]);
    return `order ${id} is ${rowCount === 1 ? '' : 'not '}stored`;
  }
  const lines: string[] = [];
  function say(line: string): void {
    lines.push(line);
    console.log(line);
  }

  // Wrong: after the commit.
  await inTransaction((client) => client.query('INSERT INTO orders VALUES (1, 12)'));
  brokerIsAway = true;
  await publish('order 1').catch(() => undefined); // The caller has its answer, or gets a 500 for a stored order.
  brokerIsAway = false;
  say(`wrong: published after the commit: ${await stored(1)}, ${await messages()} messages`);

  // Wrong: before the commit.
  await inTransaction(async (client) => {
    await publish('order 2');
    await client.query('INSERT INTO orders VALUES (2, -12)'); // Violates the check: the transaction rolls back.
  });
  say(`wrong: published before the commit: ${await stored(2)}, ${await messages()} message`);
  await channel.purgeQueue(queue);

  // Right: the message is a row of the same transaction. It needs no broker.
  const place = (id: number, total: number): Promise<void> =>
    inTransaction(async (client) => {
      await client.query('INSERT INTO outbox (message) VALUES ($1)', [`order ${id}`]);
      await client.query('INSERT INTO orders VALUES ($1, $2)', [id, total]);
    });
  brokerIsAway = true;
  await place(3, 12);
  say(`right: the broker is away: ${await stored(3)}, ${await rows()} row in the outbox`);
  await place(4, -12);
  say(`right: the commit fails: ${await stored(4)}, ${await rows()} row in the outbox`);

  const relay = (): Promise<void> =>
    inTransaction(async (client) => {
      const due = await client.query<{ message: string }>('SELECT message FROM outbox FOR UPDATE SKIP LOCKED');
      for (const { message } of due.rows) await publish(message); // Throws: rolls back, and the row stays.
      await client.query('DELETE FROM outbox WHERE message = ANY($1)', [due.rows.map(({ message }) => message)]);
    });
  await relay();
  assert.equal(await rows(), 1);
  brokerIsAway = false;
  await relay();
  const published = (await channel.get(queue, { noAck: true })) as GetMessage;
  say(`right: the relay has published: ${published.content.toString()}, ${await rows()} rows in the outbox`);
  await channel.deleteQueue(queue);
  await connection.close();
  await pool.query(`DROP SCHEMA ${schema} CASCADE`);
  await pool.end();

  assert.match(
    lines.join(),
    /1 is stored, 0 .*2 is not stored, 1 .*3 is stored, 1 .*4 is not stored, 1 .*published: order 3, 0 rows/,
  );
}

void main();
