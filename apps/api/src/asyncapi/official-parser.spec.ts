import { Parser } from '@asyncapi/parser';
import { documentWith } from '../../../../test/support/asyncapi';

const parser = new Parser();

/** Errors and warnings, in the words of the official parser of AsyncAPI. */
async function faultsOf(document: object): Promise<string[]> {
  const { diagnostics } = await parser.parse(JSON.stringify(document));
  // 0 is an error, 1 a warning. The others are information, such as that there is a newer version than 3.0.
  return diagnostics
    .filter(({ severity }) => (severity as number) <= 1)
    .map(({ code, path, message }) => `${code} at ${path.join('/')}: ${message}`);
}

const postgres = { DATABASE_URL: 'postgres://queue:secret@db.example.com:5433/queue?sslmode=require' };
const redis = { REDIS_URL: 'rediss://queue:secret@redis.example.com/3' };
const rabbitmq = { RABBITMQ_URL: 'amqps://queue:secret@rabbit.example.com:5671/%2Fshop', BROKER_PREFIX: 'shop.' };
const kafka = { KAFKA_BROKERS: 'one.example.com:9092,two.example.com:9093', BROKER_PREFIX: 'shop.' };

describe('the official parser of AsyncAPI', () => {
  it.each<[string, NodeJS.ProcessEnv]>([
    ['BullMQ on PostgreSQL', {}],
    ['BullMQ on Redis', redis],
    ['RabbitMQ', rabbitmq],
    ['two addresses of Kafka', kafka],
    ['all of them', { ...redis, ...rabbitmq, ...kafka }],
  ])('finds no fault in the document with %s', async (_, environment) => {
    expect(await faultsOf(documentWith({ ...postgres, ...environment }))).toEqual([]);
  });

  it('finds a reference that leads nowhere', async () => {
    const document = documentWith(postgres);
    const [operation] = Object.values<any>(document.operations);
    operation.channel = { $ref: '#/channels/missing' };
    expect(await faultsOf(document)).not.toEqual([]);
  });
});
