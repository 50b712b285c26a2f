import { connect } from 'amqplib';
import { rabbitmqCapabilities, subscriberQueues, type BrokerTopology } from '@app/messaging';
import { RabbitmqDriver } from '@app/messaging/rabbitmq';
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

/** The size limit applies to the whole broker, so this harness starts a broker of its own. */
async function startStrict(): Promise<BrokerUnderTest> {
  const own = await startRabbitmq();
  await own.control('eval', `application:set_env(rabbit, max_message_size, ${strictBytes}).`);
  return new RabbitmqUnderTest(own.url, own.stop);
}

class RabbitmqUnderTest implements BrokerUnderTest {
  private readonly drivers: RabbitmqDriver[] = [];
  private readonly prefix = `${uniqueName()}-${process.pid}.`;
  private topology: BrokerTopology = { queues: [], events: [] };

  constructor(
    private readonly url: string,
    private readonly stop = () => Promise.resolve(),
  ) {}

  async connect(_use: 'publish' | 'consume', topology: BrokerTopology): Promise<RabbitmqDriver> {
    this.topology = topology;
    const driver = await RabbitmqDriver.connect({ url: this.url, prefix: this.prefix }, 'test', topology);
    this.drivers.push(driver);
    await driver.ready();
    return driver;
  }

  /** Publishes with plain amqplib to the queue by its name, as another service does. */
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
    for (const driver of this.drivers) await driver.close();
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
