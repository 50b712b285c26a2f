import { Partitioners, type Kafka, type Message, type Producer } from 'kafkajs';
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
  private partitions = new Map<string, number>();
  private readonly partitioner = Partitioners.DefaultPartitioner();

  /** @param prepare ensures that the topics exist; called before the first publish of each producer */
  constructor(
    private readonly kafka: Kafka,
    private readonly prepare: () => Promise<void>,
  ) {}

  /** Connects the producer. @throws the error of the connection */
  async connect(): Promise<void> {
    await (this.producer ??= this.start());
  }

  /** @throws BrokerUnavailable, Unroutable, PartlyPublished */
  async publish(messages: readonly Outgoing[]): Promise<void> {
    const publication = new Publication('kafka', messages.length);
    try {
      await withTimeout(deadlineMs, this.send(messages, publication), `it did not confirm within ${deadlineMs} ms`);
    } catch (error) {
      this.discard();
      publication.lose(
        isOf(error, ['UNKNOWN_TOPIC_OR_PARTITION'])
          ? new Unroutable(
              'kafka',
              messages.map(({ topic }) => topic),
            )
          : new BrokerUnavailable('kafka', error),
      );
    }
    publication.conclude();
  }

  async close(): Promise<void> {
    this.discard();
    await Promise.all(this.leaving);
  }

  /** @throws the first error that is not a refusal, after every partition was tried */
  private async send(messages: readonly Outgoing[], publication: Publication): Promise<void> {
    const producer = await (this.producer ??= this.start());
    await this.countPartitions([...new Set(messages.map(({ topic }) => topic))]);
    const byPartition = new Map<string, number[]>();
    for (const [place, message] of messages.entries()) {
      const name = `${message.topic} ${this.partitionOf(message)}`;
      const places = byPartition.get(name);
      if (places) places.push(place);
      else byPartition.set(name, [place]);
    }
    const sent = [...byPartition.values()].map(async (places) => {
      const { topic } = messages[places[0]!]!;
      const partition = this.partitionOf(messages[places[0]!]!);
      for (const batch of cutBySize(places, (place) => sizeOf(messages[place]!))) {
        await publication.send(
          batch,
          (some) =>
            producer.send({
              topic,
              messages: some.map((place) => ({ ...messages[place]!, partition })),
              acks: -1,
              timeout: deadlineMs,
            }),
          (error) => isOf(error, refusals),
        );
      }
    });
    const failed = (await Promise.allSettled(sent)).find(({ status }) => status === 'rejected');
    if (failed) throw (failed as PromiseRejectedResult).reason;
  }

  /** The partition by the hash of the key, as other Kafka clients compute it. */
  private partitionOf(message: Outgoing): number {
    const partitionMetadata = Array.from({ length: this.partitions.get(message.topic)! }, (_, partitionId) => ({
      partitionId,
      leader: 0,
      partitionErrorCode: 0,
      replicas: [],
      isr: [],
    }));
    return this.partitioner({ topic: message.topic, partitionMetadata, message });
  }

  private async countPartitions(topics: readonly string[]): Promise<void> {
    const unknown = topics.filter((topic) => !this.partitions.has(topic));
    if (unknown.length === 0) return;
    const found = await withAdmin(this.kafka, (admin) => admin.fetchTopicMetadata({ topics: unknown }));
    for (const { name, partitions } of found.topics) this.partitions.set(name, partitions.length);
  }

  private async start(): Promise<Producer> {
    await this.prepare();
    this.partitions = new Map();
    const producer = this.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
    });
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
