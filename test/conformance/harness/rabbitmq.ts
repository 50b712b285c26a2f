import { Test, type TestingModule } from '@nestjs/testing';
import { connect } from 'amqplib';
import {
  rabbitmqCapabilities,
  RabbitmqDriver,
  RabbitmqDriverModule,
  subscriberQueues,
  type BrokerTopology,
} from '@app/messaging';
import { rabbitmq, startRabbitmq } from '../../../scripts/brokers/rabbitmq';
import { strictBytes, type BrokerUnderTest, type Harness } from '../../support/broker-under-test';
import { uniqueName } from '../../support/core';

export function rabbitmqHarness(url: string | undefined): Harness {
  return {
    name: 'rabbitmq',
    isThere: url !== undefined,
    capabilities: rabbitmqCapabilities,
    carries: 'bytes',
    start: () => Promise.resolve(new RabbitmqUnderTest(url!)),
    strict: rabbitmq.isInstalled() ? { start: startStrict } : undefined,
  };
}

/** The limit is one of the whole broker, so this is one of its own. */
async function startStrict(): Promise<BrokerUnderTest> {
  const own = await startRabbitmq();
  await own.control('eval', `application:set_env(rabbit, max_message_size, ${strictBytes}).`);
  return new RabbitmqUnderTest(own.url, own.stop);
}

class RabbitmqUnderTest implements BrokerUnderTest {
  private readonly modules: TestingModule[] = [];
  private readonly prefix = `${uniqueName()}-${process.pid}.`;
  private topology: BrokerTopology = { queues: [], events: [] };

  constructor(
    private readonly url: string,
    private readonly stop = () => Promise.resolve(),
  ) {}

  async connect(_use: 'publish' | 'consume', topology: BrokerTopology): Promise<RabbitmqDriver> {
    this.topology = topology;
    const settings = { url: this.url, prefix: this.prefix };
    const module = await Test.createTestingModule({
      imports: [RabbitmqDriverModule.forRoot(settings, 'test', topology)],
    }).compile();
    this.modules.push(module);
    const driver = module.get(RabbitmqDriver);
    await driver.ready();
    return driver;
  }

  /** As a stranger does it: plain amqplib, into the queue by its name. */
  async publishRaw(queue: string, body: unknown): Promise<void> {
    await this.plain(async (channel) => {
      channel.sendToQueue(`${this.prefix}${queue}`, Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)));
      await channel.waitForConfirms();
    });
  }

  async publishRawEvent(kind: string, body: unknown): Promise<void> {
    await this.plain(async (channel) => {
      channel.publish(`${this.prefix}events`, kind, Buffer.from(JSON.stringify(body)));
      await channel.waitForConfirms();
    });
  }

  async forget(queue: string): Promise<void> {
    await this.plain((channel) => channel.purgeQueue(`${this.prefix}${queue}`));
  }

  async close(): Promise<void> {
    for (const module of this.modules) await module.close();
    await this.plain(async (channel) => {
      const { queues, events } = this.topology;
      const subscribers = subscriberQueues(events);
      for (const queue of [...queues.map((known) => known.queue), ...subscribers, 'dead-letters']) {
        await channel.deleteQueue(`${this.prefix}${queue}`);
      }
      for (const exchange of ['jobs', 'events', 'dead-letters', 'census', ...events.map(({ kind }) => kind)]) {
        await channel.deleteExchange(`${this.prefix}${exchange}`);
      }
    });
    await this.stop();
  }

  private async plain(work: (channel: PlainChannel) => Promise<unknown>): Promise<void> {
    const connection = await connect(this.url);
    await work(await connection.createConfirmChannel());
    await connection.close();
  }
}

type PlainChannel = Awaited<ReturnType<Awaited<ReturnType<typeof connect>>['createConfirmChannel']>>;
