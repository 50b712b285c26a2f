/**
 * "Exactly once": delivery at least once and an idempotent effect, although the consumer is killed in between.
 *
 * The consumer is a process of its own. It dies by SIGKILL at the first delivery of each of two messages, before the
 * acknowledgement. RabbitMQ delivers the message to the next process. So each message comes twice. Its effects:
 * - In our own database: effect and dedupe row are one commit. There is one effect of each message.
 * - At a provider with idempotency keys: the request comes twice with one key. There is one effect of each message.
 * - At a provider without keys: the consumer can note "sent" in its database only before or after the request, and it
 *   dies between the two. After: the message has two effects. Before: it has none. No order of the two has exactly one.
 *
 * Needs: postgres, rabbitmq
 * Expect:
 *   2 messages, 2 consumers killed
 *   own database: 2 effects
 *   provider with idempotency keys: 4 requests, 2 effects
 *   provider without keys, "sends, then notes": 2 effects of 1 message
 *   provider without keys, "notes, then sends": 0 effects of 1 message
 */
import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, type ConsumeMessage } from 'amqplib';
import { Pool } from 'pg';

const url = process.env.RABBITMQ_URL || 'amqp://localhost:5672';
const pool = new Pool({ connectionString: process.env.DATABASE_URL });
const ways = ['sends, then notes', 'notes, then sends'];

type Step = () => Promise<unknown>;

/** Runs in the consumer's process until it has acknowledged the last message, or is killed. */
async function consume(queue: string, provider: string): Promise<void> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  await channel.prefetch(1);
  await channel.consume(queue, (message) => void (message && handle(message)));

  async function handle(message: ConsumeMessage): Promise<void> {
    const id = String(message.properties.messageId);
    const way = message.content.toString();
    const request = (path: string) => fetch(provider + path, { method: 'POST', headers: { 'Idempotency-Key': id } });
    const send = () => request(`/${ways.indexOf(way)}`);
    const note = () => pool.query('INSERT INTO sent (message_id) VALUES ($1)', [id]);
    const die = () => dieAtFirst(message);

    await pool.query(
      `WITH first AS (INSERT INTO processed (message_id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING message_id)
       INSERT INTO effect (message_id) SELECT message_id FROM first`,
      [id],
    );
    await request('/with-keys');
    const isNoted = (await pool.query('SELECT FROM sent WHERE message_id = $1', [id])).rowCount === 1;
    if (!isNoted) await sendAndNote(way, send, note, die);
    channel.ack(message);
    if (way !== ways.at(-1)) return;
    await channel.close();
    await connection.close();
    await pool.end();
  }
}

/** For a provider without keys. `die` kills the process between the two steps, at the first delivery only. */
async function sendAndNote(way: string, send: Step, note: Step, die: () => void): Promise<void> {
  if (way === 'sends, then notes') {
    await send();
    die();
    await note();
  } else {
    await note();
    die();
    await send();
  }
}

function dieAtFirst(message: ConsumeMessage): void {
  if (!message.fields.redelivered) process.kill(process.pid, 'SIGKILL');
}

async function isKilled(child: ChildProcess): Promise<boolean> {
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal === 'SIGKILL';
}

async function main(): Promise<void> {
  const [, script, ...consumerOf] = process.argv;
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();
  if (consumerOf.length > 0) return consume(consumerOf[0]!, consumerOf[1]!);

  const requests: { path: string; key: string }[] = [];
  const provider = createServer((request, response) => {
    requests.push({ path: request.url!, key: String(request.headers['idempotency-key']) });
    response.end();
  }).listen(0, '127.0.0.1');
  await once(provider, 'listening');
  const address = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;

  await pool.query(`CREATE TABLE processed (message_id uuid PRIMARY KEY); CREATE TABLE effect (message_id uuid);
    CREATE TABLE sent (message_id uuid PRIMARY KEY)`);
  const queue = `example-exactly-once-${randomUUID()}`;
  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(queue, { durable: true });
  for (const way of ways) channel.sendToQueue(queue, Buffer.from(way), { persistent: true, messageId: randomUUID() });
  await channel.waitForConfirms();

  let killed = 0;
  while (await isKilled(fork(script!, [queue, address]))) killed += 1;
  console.log(`${ways.length} messages, ${killed} consumers killed`);
  const own = (await pool.query('SELECT FROM effect')).rowCount;
  console.log(`own database: ${own} effects`);
  const withKeys = requests.filter(({ path }) => path === '/with-keys');
  const keys = new Set(withKeys.map(({ key }) => key)).size;
  console.log(`provider with idempotency keys: ${withKeys.length} requests, ${keys} effects`);
  const withoutKeys = ways.map((_, index) => requests.filter(({ path }) => path === `/${index}`).length);
  ways.forEach((way, index) =>
    console.log(`provider without keys, "${way}": ${withoutKeys[index]} effects of 1 message`),
  );
  const { messageCount } = await channel.deleteQueue(queue);
  await connection.close();
  provider.close();
  await pool.end();

  assert.deepEqual([killed, own, withKeys.length, keys, withoutKeys, messageCount], [2, 2, 4, 2, [2, 0], 0]);
}

void main();
