import { CloudEvent } from 'cloudevents';
import { eventDefinitions, jobDefinitions } from '@app/features/catalogue';
import { queuesOf } from '@app/messaging';
import { describeBrokers } from '../../apps/api/src/asyncapi/describe-brokers';
import { schemasOf } from '../support/asyncapi';
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
/** The AsyncAPI document, which the author of another service reads. */
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

/** The event by which a shop requests an SMS. */
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

/** On a busy machine PostgreSQL may take longer than the API waits for it; the API then answers 503. */
async function jobsOf(key: string): Promise<any[]> {
  const { body } = await until(
    'the API lists jobs',
    () => system.request('/v1/jobs?limit=100', { headers: bearer(key) }),
    ({ status }) => status === 200,
  );
  return body.items;
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

/** Sends the event twice. Exactly one job of the tenant in the event and one SMS result. */
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
    'the message is dead-lettered',
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

/** The address in the AsyncAPI document. */
const addressOf = (channel: string): string => document.channels[channel].address;

describe('a CloudEvent of another service', () => {
  describe('with all available brokers', () => {
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

      it('is handled once when amqplib sends it in structured mode', () =>
        assertDoneOnce('rabbitmq', (event) => sendByAmqplib(url, addressOf(channel), event)));

      it('is handled once when amqplib sends it in binary mode', () =>
        assertDoneOnce('rabbitmq', (event) => sendBinaryByAmqplib(url, addressOf(channel), event)));

      it('is dead-lettered with its bytes when amqplib sends data that are not JSON', () =>
        assertSetAside('rabbitmq', (event, bytes) => sendBinaryByAmqplib(url, addressOf(channel), event, bytes)));
    });

    onlyWith(TEST_KAFKA_BROKERS)('on kafka', () => {
      const [brokers, channel] = [(TEST_KAFKA_BROKERS ?? '').split(','), 'kafka.topic.sms'];

      it('is handled once when kafkajs sends it in structured mode', () =>
        assertDoneOnce('kafka', (event) => sendByKafkajs(brokers, addressOf(channel), event)));

      it('is handled once when kafkajs sends it in binary mode', () =>
        assertDoneOnce('kafka', (event) => sendBinaryByKafkajs(brokers, addressOf(channel), event)));

      it('is dead-lettered with its bytes when kafkajs sends data that are not JSON', () =>
        assertSetAside('kafka', (event, bytes) => sendBinaryByKafkajs(brokers, addressOf(channel), event, bytes)));

      it('is consumed by the consumer group in the AsyncAPI document', async () => {
        const { groupId } = document.operations['receive.kafka.topic.sms'].bindings.kafka;
        const admin = plainKafka(brokers).admin();
        await admin.connect();
        const { groups } = await admin.describeGroups(groupId.enum);
        await admin.disconnect();
        expect(groups.map(({ groupId: name, members }) => [name, members.length])).toEqual([[groupId.enum[0], 1]]);
      });
    });

    onlyWith(TEST_REDIS_URL)('on bullmq-redis', () => {
      it('is handled once when Queue.add of BullMQ sends it', assertAddedIsDoneOnce);

      it('is not kept by BullMQ after it was handled, even if its sender asks for that', assertNotKept);
    });

    // Runs only with a broker; the next group covers the system without one.
    onlyWith(TEST_RABBITMQ_URL ?? TEST_KAFKA_BROKERS ?? TEST_REDIS_URL)('the AsyncAPI document', () => {
      it('contains no password and describes the request, with all brokers that are configured here', assertDocument);
    });
  });

  describe('on bullmq-postgres', () => {
    beforeAll(() => start({}, 'bullmq-postgres'));
    afterAll(stop);

    it('is handled once when Queue.add of BullMQ sends it', assertAddedIsDoneOnce);

    it('is not kept by BullMQ after it was handled, even if its sender asks for that', assertNotKept);

    it('matches the AsyncAPI document', assertDocument);
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

/** Covers an event that became a job, one that became a dead letter, and one that claims to be ours. */
async function assertNotKept(): Promise<void> {
  const queue = plainQueue(addressOf('bullmq.queue.sms'), system.brokerSettings);
  try {
    const event = aRequest();
    const keep = { removeOnComplete: false, removeOnFail: false };
    await queue.add('good', event, keep);
    await queue.add('too large', { ...event.toJSON(), data: 'x'.repeat(2_000_000) }, keep);
    // An event with our source and with more data than a relay sends.
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

function assertDocument(): void {
  expect(JSON.stringify(document)).not.toContain('guest');
  schemasOf(document)['sms.send.v1.request']!.parse(JSON.parse(JSON.stringify(aRequest())));
}
