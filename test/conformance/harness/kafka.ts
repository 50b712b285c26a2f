import { type Admin, ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { kafkaCapabilities, type BrokerTopology } from '@app/messaging';
import { KafkaDriver } from '@app/messaging/kafka';
import { strictBytes, type BrokerUnderTest, type Harness } from '../../support/broker-under-test';
import { uniqueName } from '../../support/core';

export function kafkaHarness(broker: string | undefined): Harness {
  return {
    name: 'kafka',
    isThere: broker !== undefined,
    capabilities: kafkaCapabilities,
    carries: 'bytes',
    start: () => Promise.resolve(new KafkaUnderTest(broker!)),
    strict: { start: () => Promise.resolve(new KafkaUnderTest(broker!, strictBytes)) },
  };
}

class KafkaUnderTest implements BrokerUnderTest {
  private readonly drivers: KafkaDriver[] = [];
  private readonly prefix = `${uniqueName()}-${process.pid}.`;
  private readonly plain: Kafka;

  constructor(
    private readonly broker: string,
    private readonly mostBytes?: number,
  ) {
    this.plain = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
  }

  async connect(_use: 'publish' | 'consume', topology: BrokerTopology): Promise<KafkaDriver> {
    const settings = { brokers: [this.broker], prefix: this.prefix, leaseMs: 2_000 };
    const driver = new KafkaDriver(settings, 'test', topology);
    this.drivers.push(driver);
    await driver.ready();
    if (this.mostBytes !== undefined) await this.limitTopics(this.mostBytes);
    return driver;
  }

  /** Publishes with plain kafkajs to the topic by its name, as another service does. */
  async publishRaw(queue: string, body: unknown): Promise<void> {
    const producer = this.plain.producer();
    await producer.connect();
    const value = Buffer.isBuffer(body) ? body : JSON.stringify(body);
    await producer.send({ topic: `${this.prefix}${queue}`, messages: [{ value }] });
    await producer.disconnect();
  }

  async publishRawEvent(kind: string, body: unknown): Promise<void> {
    await this.publishRaw(kind, body);
  }

  async forget(queue: string): Promise<void> {
    await this.admin(async (admin) => {
      const partitions = (await admin.fetchTopicOffsets(`${this.prefix}${queue}`)).map(({ partition, high }) => ({
        partition,
        offset: high,
      }));
      await admin.deleteTopicRecords({ topic: `${this.prefix}${queue}`, partitions });
    });
  }

  async deleteTopic(queue: string): Promise<void> {
    await this.admin((admin) => admin.deleteTopics({ topics: [`${this.prefix}${queue}`] }));
  }

  async close(): Promise<void> {
    for (const driver of this.drivers) await driver.close();
    await this.admin(async (admin) => {
      const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(this.prefix));
      if (topics.length > 0) await admin.deleteTopics({ topics });
    });
  }

  private async limitTopics(mostBytes: number): Promise<void> {
    await this.admin(async (admin) => {
      const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(this.prefix));
      const configEntries = [
        { name: 'compression.type', value: 'uncompressed' },
        { name: 'max.message.bytes', value: `${mostBytes}` },
      ];
      const resources = topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name, configEntries }));
      await admin.alterConfigs({ validateOnly: false, resources });
    });
  }

  private async admin(work: (admin: Admin) => Promise<void>): Promise<void> {
    const admin = this.plain.admin();
    await admin.connect();
    await work(admin);
    await admin.disconnect();
  }
}
