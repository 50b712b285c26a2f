import { Partitioners, type Kafka, type Message, type PartitionMetadata, type Producer } from 'kafkajs';
import { withTimeout } from '../../with-timeout';
import { BrokerUnavailable, Publication, Unroutable } from '../../port/broker-errors';
import { cutBySize } from './cut-by-size';
import { withAdmin } from './topics';

export interface Outgoing extends Message {
  readonly topic: string;
  readonly key: string;
  readonly value: string;
}

const deadlineMs = 4_000;

/** Headers and lengths of one record, in bytes. */
const recordBytes = 200;

/** Errors with which Kafka refuses a record for good: publishing it again cannot help. */
const refusals = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP'];

/**
 * One idempotent producer (https://kafka.apache.org/documentation/#producerconfigs_enable.idempotence). After a failure
 * its sequence numbers may be invalid, so the next publish creates a new producer.
 *
 * Each partition gets its own requests: for a request to several partitions kafkajs does not report which of them were
 * written.
 */
export class Publisher {
  private producer: Promise<Producer> | undefined;
  private readonly leaving = new Set<Promise<unknown>>();
  private partitions = new Map<string, PartitionMetadata[]>();
  private readonly partitioner = Partitioners.DefaultPartitioner();

  /** @param prepare ensures that the topics exist; called before the first publish of each producer */
  constructor(
    private readonly kafka: Kafka,
    private readonly prepare: () => Promise<void>,
  ) {}

  /** Connects the producer. @throws the error of the connection */
  async connect(): Promise<void> {
    await this.connected();
  }

  /** @throws BrokerUnavailable, Unroutable, PartlyPublished */
  async publish(messages: readonly Outgoing[]): Promise<void> {
    const publication = new Publication('kafka', messages.length);
    try {
      await withTimeout(deadlineMs, this.send(messages, publication), `it did not confirm within ${deadlineMs} ms`);
    } catch (error) {
      this.discard();
      const topics = messages.map(({ topic }) => topic);
      const isUnroutable = isOf(error, ['UNKNOWN_TOPIC_OR_PARTITION']);
      publication.lose(isUnroutable ? new Unroutable('kafka', topics) : new BrokerUnavailable('kafka', error));
    }
    publication.conclude();
  }

  async close(): Promise<void> {
    this.discard();
    await Promise.all(this.leaving);
  }

  /** @throws the first error that is not a refusal, after every partition was tried */
  private async send(messages: readonly Outgoing[], publication: Publication): Promise<void> {
    const producer = await this.connected();
    await this.findPartitions(new Set(messages.map(({ topic }) => topic)));
    const addressed = messages.map((message) => ({ ...message, partition: this.partitionOf(message) }));
    const byPartition = new Map<string, number[]>();
    for (const [place, { topic, partition }] of addressed.entries()) {
      const places = byPartition.get(`${topic} ${partition}`);
      if (places) places.push(place);
      else byPartition.set(`${topic} ${partition}`, [place]);
    }
    const sent = [...byPartition.values()].map(async (places) => {
      const { topic } = addressed[places[0]!]!;
      const send = (some: readonly number[]) =>
        producer.send({ topic, messages: some.map((place) => addressed[place]!), acks: -1, timeout: deadlineMs });
      for (const batch of cutBySize(places, (place) => sizeOf(addressed[place]!))) {
        await publication.send(batch, send, (error) => isOf(error, refusals));
      }
    });
    const failed = (await Promise.allSettled(sent)).find(({ status }) => status === 'rejected');
    if (failed) throw (failed as PromiseRejectedResult).reason;
  }

  /** The partition by the hash of the key, as other Kafka clients compute it. */
  private partitionOf(message: Outgoing): number {
    const { topic } = message;
    return this.partitioner({ topic, partitionMetadata: this.partitions.get(topic)!, message });
  }

  private async findPartitions(topics: ReadonlySet<string>): Promise<void> {
    const unknown = [...topics].filter((topic) => !this.partitions.has(topic));
    if (unknown.length === 0) return;
    const found = await withAdmin(this.kafka, (admin) => admin.fetchTopicMetadata({ topics: unknown }));
    for (const { name, partitions } of found.topics) this.partitions.set(name, partitions);
  }

  /** After a failed connection the next call connects again. */
  private connected(): Promise<Producer> {
    const connecting = (this.producer ??= this.start());
    connecting.catch(() => {
      if (this.producer === connecting) this.producer = undefined;
    });
    return connecting;
  }

  private async start(): Promise<Producer> {
    await this.prepare();
    this.partitions = new Map();
    const producer = this.kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
    await producer.connect();
    return producer;
  }

  private discard(): void {
    const leaving = this.producer
      ?.then((producer) => producer.disconnect())
      .catch(() => undefined)
      .finally(() => this.leaving.delete(leaving!));
    this.producer = undefined;
    if (leaving) this.leaving.add(leaving);
  }
}

function sizeOf({ key, value }: Outgoing): number {
  return Buffer.byteLength(key) + Buffer.byteLength(value) + recordBytes;
}

function isOf(error: unknown, types: readonly string[]): boolean {
  const { type, cause } = error as { type?: string; cause?: unknown };
  return (type !== undefined && types.includes(type)) || (cause instanceof Error && isOf(cause, types));
}
