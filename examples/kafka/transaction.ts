/**
 * Transactions: several messages and the offsets of a group become visible together, or not at all.
 *
 * A consumer that reads a topic and writes another one puts its messages and its offsets into one transaction. This is
 * what "exactly once" means in Kafka: it covers topics and offsets of one Kafka, and nothing outside it.
 * The messages are in the log before the commit. A consumer with `read_committed` (the default of kafkajs) does not get
 * messages of an open or aborted transaction, and no later message of the partition while the transaction is open.
 * While a transaction is open, `fetchTopicOffsets` of kafkajs returns the position at which it begins. So a lag that is
 * computed with it is too small.
 * Each commit and each abort writes a marker, which takes an offset.
 *
 * Expect:
 *   open: in the log 2, read_uncommitted got 2, read_committed got 0
 *   open: kafkajs computes a lag of 0
 *   aborted: read_committed got 0, the group has no offset
 *   committed: read_committed got invoice 0, invoice 1, the next offset of the group is 2
 *   read_uncommitted got 4 messages; with 2 markers the topic ends at 6
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners, type Transaction } from 'kafkajs';

const brokers = (process.env.KAFKA_BROKERS || 'localhost:9092').split(',');
const id = randomUUID();
const [orders, invoices] = [`example-orders-${id}`, `example-invoices-${id}`];
const groupId = `${orders}-group`;
const kafka = new Kafka({ brokers, clientId: 'example', logLevel: logLevel.NOTHING });
const admin = kafka.admin();

async function startReader(readUncommitted: boolean) {
  const reader = { got: [] as string[], highWatermark: '0', fetches: 0 };
  const consumer = kafka.consumer({
    groupId: `${invoices}-${readUncommitted}`,
    readUncommitted,
    maxWaitTimeInMs: 100,
  });
  consumer.on(consumer.events.FETCH, () => (reader.fetches += 1));
  await consumer.connect();
  await consumer.subscribe({ topics: [invoices], fromBeginning: true });
  await consumer.run({
    eachBatch: async ({ batch, resolveOffset }) => {
      reader.highWatermark = batch.highWatermark;
      for (const { value, offset } of batch.messages) {
        reader.got.push(value!.toString());
        resolveOffset(offset);
      }
    },
  });
  return { reader, stop: () => consumer.disconnect() };
}

/** The handler of two orders: two invoices, and the next offset after the orders. */
async function handle(transaction: Transaction): Promise<void> {
  await transaction.send({ topic: invoices, messages: [{ value: 'invoice 0' }, { value: 'invoice 1' }] });
  const partitions = [{ partition: 0, offset: '2' }];
  await transaction.sendOffsets({ consumerGroupId: groupId, topics: [{ topic: orders, partitions }] });
}

const endOf = async (topic: string): Promise<number> => Number((await admin.fetchTopicOffsets(topic))[0]!.high);
const nextOf = async (topic: string): Promise<number> =>
  Number((await admin.fetchOffsets({ groupId, topics: [topic] }))[0]!.partitions[0]!.offset);

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 30_000).unref();

  await admin.connect();
  const topics = [orders, invoices].map((topic) => ({ topic, numPartitions: 1 }));
  await admin.createTopics({ topics, waitForLeaders: false });
  // `waitForLeaders` throws while a broker does not know the topic yet, so the example polls instead.
  while ((await admin.listTopics()).filter((name) => name.endsWith(id)).length < 2) await delay(20);

  const createPartitioner = Partitioners.DefaultPartitioner;
  const producer = kafka.producer({ transactionalId: id, idempotent: true, maxInFlightRequests: 1, createPartitioner });
  await producer.connect();
  const { reader: uncommitted, stop: stopUncommitted } = await startReader(true);
  const { reader: committed, stop: stopCommitted } = await startReader(false);
  const fetchTwice = async (): Promise<void> => {
    const { fetches } = committed;
    while (committed.fetches < fetches + 2) await delay(20);
  };

  const first = await producer.transaction();
  await handle(first);
  while (uncommitted.got.length < 2) await delay(20);
  await fetchTwice();
  const inTheLog = uncommitted.highWatermark;
  console.log(`open: in the log ${inTheLog}, read_uncommitted got 2, read_committed got ${committed.got.length}`);
  const lag = (await endOf(invoices)) - committed.got.length;
  console.log(`open: kafkajs computes a lag of ${lag}`);

  await first.abort();
  await fetchTwice();
  const afterAbort = await nextOf(orders); // -1: the group has committed nothing.
  const offset = afterAbort === -1 ? 'no offset' : `offset ${afterAbort}`;
  console.log(`aborted: read_committed got ${committed.got.length}, the group has ${offset}`);

  const second = await producer.transaction();
  await handle(second);
  await second.commit();
  while (committed.got.length < 2 || (await nextOf(orders)) !== 2) await delay(20);
  console.log(`committed: read_committed got ${committed.got.join(', ')}, the next offset of the group is 2`);
  while (uncommitted.got.length < 4) await delay(20);
  const end = await endOf(invoices);
  console.log(`read_uncommitted got ${uncommitted.got.length} messages; with 2 markers the topic ends at ${end}`);

  await Promise.all([stopUncommitted(), stopCommitted(), producer.disconnect()]);
  await admin.deleteGroups([groupId, `${invoices}-true`, `${invoices}-false`]);
  await admin.deleteTopics({ topics: [orders, invoices] });
  await admin.disconnect();

  assert.deepEqual([inTheLog, lag, afterAbort, end], ['2', 0, -1, 6]);
  assert.deepEqual(committed.got, ['invoice 0', 'invoice 1']);
}

void main();
