import { jobDefinitions } from '@app/features/catalogue';
import { encodeEvent, encodeMessage, queuesOf } from '@app/messaging';
import { documentWith, priceChanged, schemasOf } from '../../../../test/support/asyncapi';

const secrets = { user: 'nobody-may-know', password: 'nor-this' };
const withSecrets = (protocol: string, rest: string) => `${protocol}://${secrets.user}:${secrets.password}@${rest}`;

const postgres = {
  DATABASE_URL: withSecrets('postgres', 'db.example.com:5433/queue?sslmode=require&password=nor-this'),
};
const redis = { REDIS_URL: withSecrets('rediss', 'redis.example.com/3') };
const rabbitmq = { RABBITMQ_URL: withSecrets('amqps', 'rabbit.example.com:5671/%2Fshop'), BROKER_PREFIX: 'shop.' };
const kafka = { KAFKA_BROKERS: 'one.example.com:9092,two.example.com:9093', BROKER_PREFIX: 'shop.' };

const documentOf = (environment: NodeJS.ProcessEnv) => documentWith({ ...postgres, ...environment });

describe('the AsyncAPI document', () => {
  it.each<[string, NodeJS.ProcessEnv, string[]]>([
    ['BullMQ on PostgreSQL', {}, ['bullmq']],
    ['BullMQ on Redis', redis, ['bullmq']],
    ['RabbitMQ', rabbitmq, ['bullmq', 'rabbitmq']],
    ['two addresses of Kafka', kafka, ['bullmq', 'kafka', 'kafka-2']],
    ['all of them', { ...redis, ...rabbitmq, ...kafka }, ['bullmq', 'rabbitmq', 'kafka', 'kafka-2']],
  ])('contains no secret with %s', (_, environment, servers) => {
    const document = documentOf(environment);
    expect(Object.keys(document.servers)).toEqual(servers);
    const text = JSON.stringify(document);
    for (const secret of Object.values(secrets)) expect(text).not.toContain(secret);
    for (const job of jobDefinitions) expect(text).toContain(`/${job.kind}.v${job.version}.request`);
  });

  it('gives the address of every server', () => {
    expect(documentOf({}).servers).toEqual({
      bullmq: { host: 'db.example.com:5433', protocol: 'postgres', pathname: '/queue' },
    });
    expect(documentOf({ ...redis, ...rabbitmq, ...kafka }).servers).toEqual({
      bullmq: { host: 'redis.example.com', protocol: 'rediss', pathname: '/3' },
      rabbitmq: { host: 'rabbit.example.com:5671', protocol: 'amqps', pathname: '/%2Fshop', protocolVersion: '0.9.1' },
      kafka: { host: 'one.example.com:9092', protocol: 'kafka' },
      'kafka-2': { host: 'two.example.com:9093', protocol: 'kafka' },
    });
  });

  it('has a channel for each job queue on each broker, under the name that the broker uses', () => {
    const { channels } = documentOf({ ...redis, ...rabbitmq, ...kafka, BULLMQ_PREFIX: 'shop' });
    for (const { queue, partitions } of queuesOf(jobDefinitions)) {
      expect(channels[`bullmq.queue.${queue}`]).toMatchObject({
        address: queue,
        bindings: { 'x-bullmq': { queue, prefix: 'shop' } },
      });
      expect(channels[`rabbitmq.direct.${queue}`]).toMatchObject({
        address: queue,
        bindings: { amqp: { exchange: { name: 'shop.jobs', type: 'direct', durable: true } } },
      });
      expect(channels[`rabbitmq.queue.${queue}`]).toMatchObject({
        address: `shop.${queue}`,
        bindings: { amqp: { queue: { name: `shop.${queue}`, durable: true } } },
      });
      expect(channels[`kafka.topic.${queue}`]).toMatchObject({
        address: `shop.${queue}`,
        servers: [{ $ref: '#/servers/kafka' }, { $ref: '#/servers/kafka-2' }],
        bindings: { kafka: { topic: `shop.${queue}`, partitions } },
      });
    }
  });

  it('has channels for each event, and one channel per subscriber where the broker needs it', () => {
    const { channels, operations } = documentOf({ ...rabbitmq, ...kafka });
    const about = Object.keys(channels).filter((id) => id.includes('price.changed'));
    expect(about).toEqual([
      'bullmq.queue.price.changed.search',
      'bullmq.queue.price.changed.search@2',
      'rabbitmq.topic.price.changed',
      'rabbitmq.fanout.price.changed',
      'rabbitmq.queue.price.changed.search',
      'rabbitmq.queue.price.changed.search@2',
      'kafka.topic.price.changed',
    ]);
    expect(channels['rabbitmq.topic.price.changed'].bindings.amqp.exchange).toMatchObject({
      name: 'shop.events',
      type: 'topic',
    });
    expect(channels['rabbitmq.fanout.price.changed'].bindings.amqp.exchange).toMatchObject({
      name: 'shop.price.changed',
      type: 'fanout',
    });
    expect(channels['kafka.topic.price.changed'].bindings.kafka.partitions).toBe(6);
    expect(operations['receive.kafka.topic.price.changed'].bindings.kafka.groupId.enum).toEqual([
      'shop.price.changed.search',
      'shop.price.changed.search.2',
    ]);
  });

  it('lists what this system sends (events by one broker, jobs by all) and what it receives (also requests of other services)', () => {
    const sent = (environment: NodeJS.ProcessEnv) =>
      Object.keys(documentOf(environment).operations).filter((id) => /^send\..*price/.test(id));
    expect(sent({ ...rabbitmq, ...kafka })).toEqual(['send.kafka.topic.price.changed']);
    expect(sent(rabbitmq)).toEqual([
      'send.bullmq.queue.price.changed.search',
      'send.bullmq.queue.price.changed.search@2',
    ]);
    const { operations } = documentOf({ ...rabbitmq, ...kafka });
    const messagesOf = (id: string) => operations[id].messages.map(({ $ref }: any) => $ref.split('/').at(-1));
    expect(messagesOf('send.rabbitmq.direct.sms')).toEqual(['sms.send.v1.dispatch']);
    for (const id of ['bullmq.queue', 'rabbitmq.queue', 'kafka.topic']) {
      expect(messagesOf(`receive.${id}.sms`)).toEqual(['sms.send.v1.dispatch', 'sms.send.v1.request']);
    }
  });

  it('accepts each message as this system sends it, and rejects one with another field', () => {
    const document = documentOf({});
    const schemas = schemasOf(document);
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const ids = { id: '019e0000-0000-7000-8000-000000000000', at: new Date(), traceparent };
    for (const job of jobDefinitions) {
      const schema = schemas[`${job.kind}.v${job.version}.dispatch`]!;
      const message = { ...job, ...ids, dispatch: 1, priority: 1, orderKey: 'one' };
      for (const sent of [message, { ...message, traceparent: null }]) schema.parse(encodeMessage(sent));
      expect(schema.safeParse({ ...encodeMessage(message), more: 1 }).success).toBe(false);
      const [{ payload }] = document.components.messages[`${job.kind}.v${job.version}.dispatch`].examples;
      schema.parse(payload);
    }
    const event = { ...priceChanged, ...ids, tenant: 'shop', key: 'sku', data: { sku: 'sku', cents: 1 } };
    const schema = schemas['price.changed.v2']!;
    schema.parse(encodeEvent(event));
    expect(schema.safeParse(encodeEvent({ ...event, data: { sku: 1 } })).success).toBe(false);
    expect(schema.safeParse({ ...encodeEvent(event), more: 1 }).success).toBe(false);
  });

  it('describes the message by which another service requests a job', () => {
    const schema = schemasOf(documentOf({}))['sms.send.v1.request']!;
    const data = { to: '+4915112345678', text: 'Hi' };
    const request = { specversion: '1.0', id: '1', source: 'https://shop.example.com', type: 'sms.send.v1', data };
    schema.parse(request);
    schema.parse({ ...request, tenant: 'shop', anything: 'else' });
    for (const wrong of [
      { ...request, source: '/node-message-queue' },
      { ...request, type: 'sms.send.v2' },
      { ...request, data: { ...data, to: '12' } },
      { ...request, data: undefined },
      { ...request, tenant: 'No Tenant' },
    ]) {
      expect(schema.safeParse(JSON.parse(JSON.stringify(wrong))).success).toBe(false);
    }
  });
});
