/**
 * An idempotent consumer: a dedupe row in the transaction of the effect makes a redelivered message harmless.
 *
 * A broker redelivers a message that was not acknowledged. Here each consumer dies at its worst moment, and then gets
 * the message "deposit 10" again:
 * - Naive: it dies after the effect and before the acknowledgement. The second delivery adds 10 again.
 * - Dedupe row first: the row is a commit of its own, and the consumer dies before the effect. The second delivery
 *   finds the row and skips an effect that never happened.
 * - One transaction: row and effect are one commit. It dies twice, before the commit and after it. There is one effect.
 * The key is the id that the producer gave to the message.
 *
 * Needs: postgres, rabbitmq
 * Expect:
 *   naive: 2 deliveries, balance 20: doubled
 *   dedupe row first: 2 deliveries, balance 0: lost
 *   one transaction: 3 deliveries, balance 10: once
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect, type ChannelModel, type ConsumeMessage } from 'amqplib';
import { Pool, type PoolClient } from 'pg';

/** Ends the consumer at this moment, the first time that it gets there. */
type DieAt = (moment: string) => void;
type Consumer = (messageId: string, amount: number, dieAt: DieAt) => Promise<void>;
type Database = Pool | PoolClient;

class Died extends Error {}
const pool = new Pool({ connectionString: process.env.DATABASE_URL });

const deposit = (database: Database, consumer: string, amount: number) =>
  database.query('INSERT INTO deposit (consumer, amount) VALUES ($1, $2)', [consumer, amount]);

/** @returns false when this consumer has handled the message before */
async function isFirst(database: Database, consumer: string, messageId: string): Promise<boolean> {
  const insert = 'INSERT INTO processed (consumer, message_id) VALUES ($1, $2) ON CONFLICT DO NOTHING';
  return (await database.query(insert, [consumer, messageId])).rowCount === 1;
}

const consumers: Record<string, Consumer> = {
  naive: async (_, amount, dieAt) => {
    await deposit(pool, 'naive', amount);
    dieAt('before the acknowledgement');
  },

  'dedupe row first': async (messageId, amount, dieAt) => {
    if (!(await isFirst(pool, 'dedupe row first', messageId))) return;
    dieAt('before the effect');
    await deposit(pool, 'dedupe row first', amount);
  },

  'one transaction': async (messageId, amount, dieAt) => {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      // First the row: a concurrent copy of the message waits here until this transaction ends.
      if (await isFirst(client, 'one transaction', messageId)) {
        await deposit(client, 'one transaction', amount);
        dieAt('before the commit');
      }
      await client.query('COMMIT');
    } finally {
      client.release(true); // Closes the connection, as a death does: an open transaction is rolled back.
    }
    dieAt('before the acknowledgement');
  },
};

/** Delivers one message until it is acknowledged. @returns the number of deliveries */
async function deliver(connection: ChannelModel, consumer: Consumer): Promise<number> {
  const queue = `example-idempotent-consumer-${randomUUID()}`;
  const died = new Set<string>();
  const dieAt: DieAt = (moment) => {
    if (died.has(moment)) return;
    died.add(moment);
    throw new Died(moment);
  };
  for (let deliveries = 1; ; deliveries += 1) {
    const channel = await connection.createChannel();
    await channel.assertQueue(queue, { durable: true });
    if (deliveries === 1) channel.sendToQueue(queue, Buffer.from('10'), { messageId: randomUUID() });
    const message = await new Promise<ConsumeMessage>(
      (resolve, reject) => void channel.consume(queue, (one) => one && resolve(one)).catch(reject),
    );
    try {
      await consumer(String(message.properties.messageId), Number(message.content), dieAt);
      channel.ack(message);
      await channel.deleteQueue(queue);
      return deliveries;
    } catch (error) {
      if (!(error instanceof Died)) throw error;
    } finally {
      await channel.close(); // RabbitMQ redelivers what is not acknowledged, as after the death of a process.
    }
  }
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  await pool.query(`CREATE TABLE deposit (consumer text, amount int);
    CREATE TABLE processed (consumer text, message_id uuid, PRIMARY KEY (consumer, message_id))`);
  const connection = await connect(process.env.RABBITMQ_URL || 'amqp://localhost:5672');
  const seen: string[] = [];
  for (const [name, consumer] of Object.entries(consumers)) {
    const deliveries = await deliver(connection, consumer);
    const select = 'SELECT coalesce(sum(amount), 0)::int AS balance FROM deposit WHERE consumer = $1';
    const { balance } = (await pool.query<{ balance: number }>(select, [name])).rows[0]!;
    const verdict = balance === 10 ? 'once' : balance > 10 ? 'doubled' : 'lost';
    console.log(`${name}: ${deliveries} deliveries, balance ${balance}: ${verdict}`);
    seen.push(`${deliveries}: ${balance}`);
  }
  await connection.close();
  await pool.end();

  assert.deepEqual(seen, ['2: 20', '2: 0', '3: 10']);
}

void main();
