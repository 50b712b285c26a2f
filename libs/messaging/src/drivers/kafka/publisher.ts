import type { Kafka, Message, Producer } from 'kafkajs';
import { within } from '../../within';
import { BrokerUnavailable, Unroutable } from '../../port/broker-errors';

export interface Outgoing extends Message {
  readonly topic: string;
}

const deadlineMs = 4_000;

/**
 * One idempotent producer (https://kafka.apache.org/documentation/#producerconfigs_enable.idempotence). After a
 * failure its sequence numbers may be of no use any more, so that the next publish gets another.
 */
export class Publisher {
  private producer: Promise<Producer> | undefined;
  private readonly leaving = new Set<Promise<unknown>>();

  /** @param prepare makes sure that the topics are there; called before the first publish of each producer */
  constructor(
    private readonly kafka: Kafka,
    private readonly prepare: () => Promise<void>,
  ) {}

  async connect(): Promise<void> {
    await (this.producer ??= this.start());
  }

  /** @throws BrokerUnavailable, Unroutable */
  async publish(messages: readonly Outgoing[]): Promise<void> {
    const topics = [...new Set(messages.map(({ topic }) => topic))];
    const sent = this.send(
      topics.map((topic) => ({ topic, messages: messages.filter((message) => message.topic === topic) })),
    );
    try {
      await within(deadlineMs, sent, `it did not confirm within ${deadlineMs} ms`);
    } catch (error) {
      this.discard();
      if (isMissingTopic(error)) throw new Unroutable('kafka', topics);
      throw new BrokerUnavailable('kafka', error);
    }
  }

  async close(): Promise<void> {
    this.discard();
    await Promise.all(this.leaving);
  }

  private async send(topicMessages: { topic: string; messages: Message[] }[]): Promise<void> {
    const producer = await (this.producer ??= this.start());
    await producer.sendBatch({ topicMessages, acks: -1, timeout: deadlineMs });
  }

  private async start(): Promise<Producer> {
    await this.prepare();
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

function isMissingTopic(error: unknown): boolean {
  const { type, cause } = error as { type?: string; cause?: unknown };
  return type === 'UNKNOWN_TOPIC_OR_PARTITION' || (cause !== undefined && isMissingTopic(cause));
}
