import { CloudEvent } from 'cloudevents';
import { eventDefinitions, jobDefinitions } from '@app/features/catalogue';
import { describeBrokers, queuesOf } from '@app/messaging';
import { faultsOf, schemasOf } from '../support/asyncapi';
import { removeChannels } from '../support/foreign/remove-channels';
import { sendBinaryByAmqplib, sendByAmqplib } from '../support/foreign/with-amqplib';
import { addByBullmq, plainQueue } from '../support/foreign/with-bullmq';
import { plainKafka, sendBinaryByKafkajs, sendByKafkajs } from '../support/foreign/with-kafkajs';
import { apiKeys, bearer, keys } from '../support/keys';
import { TestSystem, type Backend } from '../support/system';
import { until } from '../support/until';

const { TEST_REDIS_URL, TEST_RABBITMQ_URL, TEST_KAFKA_BROKERS } = process.env;
const withinMs = 60_000;

let system: TestSystem;
/** What the author of another service reads. */
let document: any;

async function start(environment: NodeJS.ProcessEnv, backend: Backend): Promise<void> {
  system = await TestSystem.start({
    backend,
    apps: ['api', 'relay', 'sms-worker'],
    environment: { API_KEYS: apiKeys.join(','), ...environment },
  });
  document = (await system.request('/asyncapi.json', { headers: bearer(keys.user) })).body;
}

async function stop(): Promise<void> {
  await system.stop();
  const topology = { queues: queuesOf(jobDefinitions), events: eventDefinitions };
  await removeChannels(system.brokerSettings, describeBrokers(system.brokerSettings, topology));
}

let events = 0;

/** By which a shop asks for an SMS. */
function aRequest(): CloudEvent<{ to: string; text: string }> {
  const id = `order-${(events += 1)}`;
  return new CloudEvent({
    source: 'https://shop.example.com/orders',
    id,
    type: 'sms.send.v1',
    tenant: 'shop',
    data: { to: '+4915112345678', text: `Grüße von ${id}` },
  });
}

async function jobsOf(key: string): Promise<any[]> {
  return (await system.request('/v1/jobs?limit=100', { headers: bearer(key) })).body.items;
}

async function sent(text: string): Promise<number> {
  const { rowCount } = await system.pool.query('SELECT FROM mailbox_message WHERE text = $1', [text]);
  return rowCount!;
}

async function holdsNothing(broker: string): Promise<void> {
  await until(
    `${broker} holds nothing`,
    async () => (await system.request('/v1/brokers', { headers: bearer(keys.operator) })).body.items,
    (items) => items.find(({ name }: any) => name === broker).queues.every(({ depth }: any) => depth === 0),
    withinMs,
  );
}

/** However it is sent, and twice: one job of the tenant that the event names, one SMS. */
async function assertDoneOnce(
  broker: string,
  send: (event: CloudEvent<{ to: string; text: string }>) => Promise<void>,
): Promise<void> {
  const [ours, others] = [await jobsOf(keys.user), await jobsOf(keys.rival)];
  const event = aRequest();
  await send(event);
  await send(event);
  const jobs = await until(
    'the job is done',
    () => jobsOf(keys.user),
    (list) => list.length > ours.length && list[0].state === 'completed',
    withinMs,
  );
  await holdsNothing(broker);
  expect(await jobsOf(keys.user)).toHaveLength(ours.length + 1);
  expect(jobs[0]).toMatchObject({ kind: 'sms.send', version: 1, broker, attempt: 1 });
  expect(await jobsOf(keys.rival)).toEqual(others);
  expect(await sent(event.data!.text)).toBe(1);
}

async function assertSetAside(
  broker: string,
  send: (event: CloudEvent<unknown>, bytes: Buffer) => Promise<void>,
): Promise<void> {
  const [event, bytes] = [aRequest(), Buffer.from('{"to": "+49151')];
  await send(event, bytes);
  const [letter] = await until(
    'the message is set aside',
    async () =>
      (
        await system.pool.query<{ reason: string; queue: string; source: string; raw: Buffer }>(
          'SELECT reason, queue, source, raw FROM dead_letter WHERE broker = $1',
          [broker],
        )
      ).rows,
    (rows) => rows.length > 0,
    withinMs,
  );
  expect(letter).toEqual({ reason: 'malformed', queue: 'sms', source: event.source, raw: bytes });
}

const onlyWith = (address: string | undefined) => (address === undefined ? describe.skip : describe);

/** Where its author has looked it up. */
const addressOf = (channel: string): string => document.channels[channel].address;

describe('a CloudEvent of another service is processed like any other message', () => {
  describe('where there are brokers', () => {
    beforeAll(async () => {
      const environment = {
        RABBITMQ_URL: TEST_RABBITMQ_URL,
        KAFKA_BROKERS: TEST_KAFKA_BROKERS,
        BROKER_PREFIX: `foreign-${process.pid}.`,
      };
      await start(environment, TEST_REDIS_URL === undefined ? 'bullmq-postgres' : 'bullmq-redis');
    });

    afterAll(stop);

    onlyWith(TEST_RABBITMQ_URL)('on rabbitmq', () => {
      const [url, channel] = [TEST_RABBITMQ_URL!, 'rabbitmq.queue.sms'];

      it('from amqplib, in structured mode', () =>
        assertDoneOnce('rabbitmq', (event) => sendByAmqplib(url, addressOf(channel), event)));

      it('from amqplib, in binary mode', () =>
        assertDoneOnce('rabbitmq', (event) => sendBinaryByAmqplib(url, addressOf(channel), event)));

      it('from amqplib, with data that are no JSON: set aside as they came', () =>
        assertSetAside('rabbitmq', (event, bytes) => sendBinaryByAmqplib(url, addressOf(channel), event, bytes)));
    });

    onlyWith(TEST_KAFKA_BROKERS)('on kafka', () => {
      const [brokers, channel] = [(TEST_KAFKA_BROKERS ?? '').split(','), 'kafka.topic.sms'];

      it('from kafkajs, in structured mode', () =>
        assertDoneOnce('kafka', (event) => sendByKafkajs(brokers, addressOf(channel), event)));

      it('from kafkajs, in binary mode', () =>
        assertDoneOnce('kafka', (event) => sendBinaryByKafkajs(brokers, addressOf(channel), event)));

      it('from kafkajs, with data that are no JSON: set aside as they came', () =>
        assertSetAside('kafka', (event, bytes) => sendBinaryByKafkajs(brokers, addressOf(channel), event, bytes)));

      it('which the group takes that the AsyncAPI document names', async () => {
        const { groupId } = document.operations['receive.kafka.topic.sms'].bindings.kafka;
        const admin = plainKafka(brokers).admin();
        await admin.connect();
        const { groups } = await admin.describeGroups(groupId.enum);
        await admin.disconnect();
        expect(groups.map(({ groupId: name, members }) => [name, members.length])).toEqual([[groupId.enum[0], 1]]);
      });
    });

    onlyWith(TEST_REDIS_URL)('on bullmq-redis', () => {
      it('from Queue.add of BullMQ', assertAddedIsDoneOnce);

      it('from Queue.add of BullMQ, which then keeps nothing of it', assertNotKept);
    });

    // Not without a broker, since the next group has that.
    onlyWith(TEST_RABBITMQ_URL ?? TEST_KAFKA_BROKERS ?? TEST_REDIS_URL)('the AsyncAPI document', () => {
      it('is valid, with all that is configured here', assertDocument);
    });
  });

  describe('on bullmq-postgres', () => {
    beforeAll(() => start({}, 'bullmq-postgres'));
    afterAll(stop);

    it('from Queue.add of BullMQ', assertAddedIsDoneOnce);

    it('from Queue.add of BullMQ, which then keeps nothing of it', assertNotKept);

    it('the AsyncAPI document is valid', assertDocument);
  });
});

async function assertAddedIsDoneOnce(): Promise<void> {
  const queue = plainQueue(addressOf('bullmq.queue.sms'), system.brokerSettings);
  try {
    await assertDoneOnce('bullmq', (event) => addByBullmq(queue, event));
  } finally {
    await queue.close();
  }
}

/** Whatever its sender asks BullMQ to keep: an event that became a job, and one that became a dead letter. */
async function assertNotKept(): Promise<void> {
  const queue = plainQueue(addressOf('bullmq.queue.sms'), system.brokerSettings);
  try {
    const event = aRequest();
    const keep = { removeOnComplete: false, removeOnFail: false };
    await queue.add('good', event, keep);
    await queue.add('too large', { ...event.toJSON(), data: 'x'.repeat(2_000_000) }, keep);
    // With our name on it, and more than a relay says.
    await queue.add(
      'forged',
      { ...event.toJSON(), source: '/node-message-queue', dispatch: 1, data: 'x'.repeat(2_000) },
      keep,
    );
    await holdsNothing('bullmq');
    await until(
      'what was good is sent',
      () => sent(event.data!.text),
      (copies) => copies === 1,
      withinMs,
    );
    const kept = await queue.getJobs(['completed', 'failed']);
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.filter(({ data }) => data.source !== '/node-message-queue' || 'data' in data)).toEqual([]);
  } finally {
    await queue.close();
  }
}

async function assertDocument(): Promise<void> {
  expect(await faultsOf(document)).toEqual([]);
  expect(JSON.stringify(document)).not.toContain('guest');
  schemasOf(document)['sms.send.v1.request']!.parse(JSON.parse(JSON.stringify(aRequest())));
}
