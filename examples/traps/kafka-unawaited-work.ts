/**
 * Trap: a Kafka handler that does not await its work: the offset is committed while the work still runs.
 *
 * kafkajs commits the offset of a message after its handler has resolved. A handler that starts the work and returns
 * (`void send()`, a `forEach` with an async function, a push into an array) resolves at once. If the process dies then,
 * the work is lost, because the group will not read the message again. The texts that say "auto-commit loses messages"
 * mean clients that commit by the clock; with kafkajs auto-commit is safe as long as the handler awaits.
 * The cure: await. To run messages at the same time, use `partitionsConsumedConcurrently` or `eachBatch`, and commit
 * only what is done.
 *
 * Needs: kafka
 * Expect:
 *   wrong: not awaited: the work runs, the offset is committed
 *   right: awaited: the work runs, the offset is not committed
 *   right: awaited: the work is done, the offset is committed
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners, type Admin } from 'kafkajs';

const brokers = (process.env.KAFKA_BROKERS || 'localhost:9092').split(',');
const topic = `example-unawaited-work-${randomUUID()}`;
const kafka = new Kafka({ brokers, clientId: 'example', logLevel: logLevel.NOTHING });

/** Work that takes until `finish` is called. */
class Work {
  state: 'not begun' | 'runs' | 'done' = 'not begun';
  finish!: () => void;
  private readonly finished = new Promise<void>((resolve) => (this.finish = resolve));

  async run(): Promise<void> {
    this.state = 'runs';
    await this.finished;
    this.state = 'done';
  }
}

async function isCommitted(admin: Admin, groupId: string): Promise<boolean> {
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
  return found!.partitions[0]!.offset === '1';
}

function say(label: string, work: Work, committed: boolean): string {
  const line = `${label}: the work ${work.state === 'runs' ? 'runs' : `is ${work.state}`}, the offset is ${committed ? '' : 'not '}committed`;
  console.log(line);
  return line;
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: false });
  while (!(await admin.listTopics()).includes(topic)) await delay(20);
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic, messages: [{ value: 'email to ada' }] });
  await producer.disconnect();
  const lines: string[] = [];

  // Wrong: the handler starts the work and returns.
  const lost = new Work();
  const careless = kafka.consumer({ groupId: `${topic}-wrong`, maxWaitTimeInMs: 200 });
  await careless.connect();
  await careless.subscribe({ topics: [topic], fromBeginning: true });
  await careless.run({ eachMessage: async () => void lost.run() });
  while (!(await isCommitted(admin, `${topic}-wrong`))) await delay(20);
  lines.push(say('wrong: not awaited', lost, true));
  await careless.disconnect(); // It does not wait for the work either.

  // Right: the handler resolves when the work is done.
  const work = new Work();
  const careful = kafka.consumer({ groupId: `${topic}-right`, maxWaitTimeInMs: 200 });
  await careful.connect();
  await careful.subscribe({ topics: [topic], fromBeginning: true });
  await careful.run({ eachMessage: async () => await work.run() });
  while (work.state === 'not begun') await delay(20);
  await delay(500); // The careless consumer has committed in less time.
  lines.push(say('right: awaited', work, await isCommitted(admin, `${topic}-right`)));
  work.finish();
  while (!(await isCommitted(admin, `${topic}-right`))) await delay(20);
  lines.push(say('right: awaited', work, true));
  await careful.disconnect();

  await admin.deleteGroups([`${topic}-wrong`, `${topic}-right`]);
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();

  assert.deepEqual(lines, [
    'wrong: not awaited: the work runs, the offset is committed',
    'right: awaited: the work runs, the offset is not committed',
    'right: awaited: the work is done, the offset is committed',
  ]);
}

void main();
