import { Test, type TestingModule } from '@nestjs/testing';
import { connect } from 'amqplib';
import { CloudEvent } from 'cloudevents';
import { brokerSettingNames, readSettings } from '@app/configuration';
import { jobFinished } from '@app/contracts';
import { sendSms } from '@app/features/sms';
import {
  configuredDrivers,
  DRIVERS,
  encodeEvent,
  encodeMessage,
  queuesOf,
  type BrokerDriver,
  type BrokerSettings,
} from '@app/messaging';
import type { BrokerDescription } from '../../apps/api/src/asyncapi/broker-description';
import { describeBrokers } from '../../apps/api/src/asyncapi/describe-brokers';
import { uniqueName } from '../support/core';
import { overhear, type Overheard } from '../support/foreign/overhear';
import { removeChannels } from '../support/foreign/remove-channels';
import { plainKafka } from '../support/foreign/with-kafkajs';
import { freshDatabase, type TestDatabase } from '../support/postgres';

const { TEST_REDIS_URL, TEST_RABBITMQ_URL, TEST_KAFKA_BROKERS } = process.env;

/** Prints the messages: SHOW_OUTPUT=1 npm run test:conformance -- wire */
function show(broker: string, { headers, body }: Overheard): void {
  if (process.env['SHOW_OUTPUT']) process.stderr.write(`${broker}: ${JSON.stringify(headers)}\n${body}\n`);
}

describe.each([
  { name: 'bullmq-postgres', broker: 'bullmq', environment: {}, isThere: true },
  { name: 'bullmq-redis', broker: 'bullmq', environment: { REDIS_URL: TEST_REDIS_URL }, isThere: TEST_REDIS_URL },
  {
    name: 'rabbitmq',
    broker: 'rabbitmq',
    environment: { RABBITMQ_URL: TEST_RABBITMQ_URL },
    isThere: TEST_RABBITMQ_URL,
  },
  { name: 'kafka', broker: 'kafka', environment: { KAFKA_BROKERS: TEST_KAFKA_BROKERS }, isThere: TEST_KAFKA_BROKERS },
])('the message that other services get', ({ name, broker, environment, isThere }) => {
  (isThere ? describe : describe.skip)(`on ${name}`, () => {
    const [job, event] = [sendSms, { ...jobFinished, subscribers: ['ada'] }];
    const prefix = `${uniqueName()}-${process.pid}`;
    const topology = { queues: queuesOf([job]), events: [event] };
    let database: TestDatabase;
    let settings: BrokerSettings;
    let module: TestingModule;
    let drivers: readonly BrokerDriver[];
    let driver: BrokerDriver;
    let described: BrokerDescription;

    beforeAll(async () => {
      database = await freshDatabase();
      settings = readSettings(brokerSettingNames, {
        DATABASE_URL: database.url,
        BULLMQ_PREFIX: prefix,
        BROKER_PREFIX: `${prefix}.`,
        ...environment,
      });
      const { imports, provider } = configuredDrivers(settings, 'test', topology, 'publish');
      module = await Test.createTestingModule({ imports, providers: [provider] }).compile();
      await module.init();
      drivers = module.get<readonly BrokerDriver[]>(DRIVERS);
      driver = drivers.find((configured) => configured.name === broker)!;
      described = describeBrokers(settings, topology).find((known) => known.broker === broker)!;
      await Promise.all(drivers.map((each) => each.ready()));
    });

    afterAll(async () => {
      await Promise.all(drivers.map((each) => each.close()));
      await module.close();
      await removeChannels(settings, [described]);
      await database.drop();
    });

    /** The message that `publish` sends, as a listener gets it at the address in the AsyncAPI document. */
    async function heard(carries: object, publish: () => Promise<void>): Promise<Overheard> {
      const channel = described.channels.find((known) => known.sends && same(known.carries, carries))!;
      const listener = await overhear(settings, channel);
      try {
        await publish();
        const message = await listener.first;
        show(name, message);
        return message;
      } finally {
        await listener.close();
      }
    }

    function assertCloudEvent({ headers, body, event: read }: Overheard, sent: object): void {
      const json = 'application/cloudevents+json';
      if (broker === 'rabbitmq') expect(headers).toMatchObject({ contentType: json, deliveryMode: 2 });
      if (broker === 'kafka') expect(headers).toMatchObject({ headers: { 'content-type': json } });
      expect(JSON.parse(body)).toEqual(sent);
      expect(new CloudEvent(JSON.parse(body)).validate()).toBe(true);
      expect(read.validate()).toBe(true);
      expect(read).toMatchObject(sent);
    }

    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

    it('is, for a job, a CloudEvent in structured mode', async () => {
      const id = '019e0000-0000-7000-8000-000000000000';
      const message = { ...job, id, dispatch: 1, priority: 2, orderKey: 'one', at: new Date(), traceparent };
      const overheard = await heard({ jobsOf: job.queue }, () => driver.publish([message]));
      assertCloudEvent(overheard, encodeMessage(message));
    });

    it('is, for an event, a CloudEvent in structured mode', async () => {
      const id = '019e0000-0000-7000-8000-000000000001';
      const [at, job] = [new Date(), '019e0000-0000-7000-8000-000000000000'];
      const ended = { kind: 'sms.send', state: 'completed', attempt: 1, error: null, finishedAt: at.toISOString() };
      const data = { id: job, ...ended };
      const message = { ...event, id, tenant: 'shop', key: job, at, traceparent, data };
      const overheard = await heard({ event: event.kind }, () => driver.publishEvents([message]));
      assertCloudEvent(overheard, encodeEvent(message));
    });

    it('is sent to queues, exchanges and topics that exist as described', async () => {
      const places = described.channels.map(({ bindings }) => bindings as any);
      expect(places.length).toBeGreaterThan(1);
      if (broker === 'rabbitmq') await assertDeclared(places);
      if (broker === 'kafka') await assertCreated(places);
    });
  });
});

/** RabbitMQ raises an error when an exchange is declared with other properties, and when a checked queue is missing. */
async function assertDeclared(places: readonly any[]): Promise<void> {
  const connection = await connect(TEST_RABBITMQ_URL!);
  const channel = await connection.createChannel();
  channel.on('error', () => undefined);
  try {
    for (const { amqp } of places) {
      if (amqp.queue) await channel.checkQueue(amqp.queue.name);
      if (!amqp.exchange) continue;
      const { name, type, durable, autoDelete } = amqp.exchange;
      await channel.checkExchange(name);
      await channel.assertExchange(name, type, { durable, autoDelete });
    }
  } finally {
    await connection.close();
  }
}

async function assertCreated(places: readonly any[]): Promise<void> {
  const admin = plainKafka(TEST_KAFKA_BROKERS!.split(',')).admin();
  await admin.connect();
  const { topics } = await admin.fetchTopicMetadata({ topics: places.map(({ kafka }) => kafka.topic) });
  await admin.disconnect();
  const partitions = Object.fromEntries(topics.map((topic) => [topic.name, topic.partitions.length]));
  expect(partitions).toEqual(Object.fromEntries(places.map(({ kafka }) => [kafka.topic, kafka.partitions])));
}

const same = (a: object, b: object) => JSON.stringify(a) === JSON.stringify(b);
