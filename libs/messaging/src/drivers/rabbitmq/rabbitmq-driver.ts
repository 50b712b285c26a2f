import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import type { Channel, ConsumeMessage } from 'amqplib';
import type { EventSubscription } from '../../worker/events/event-handler';
import type { BrokerDriver, Deliver, Delivery, EventMessage, JobMessage, Subscription } from '../../port/broker-driver';
import { fromBinaryMode } from '../../port/binary-mode';
import { Unroutable } from '../../port/broker-errors';
import type { Capabilities } from '../../port/capabilities';
import { encodeEvent, encodeMessage } from '../../port/job-message';
import { subscriberQueue, type BrokerTopology } from '../../port/topology';
import { backOffMs } from '../../retry-until-database-up';
import { withTimeout } from '../../with-timeout';
import { answerUnackedCount, UnackedCounter } from './unacked-counter';
import { Consumer } from './consumer';
import { declareDeadLetters, declareEvent, declareQueue } from './declare';
import type { ReconnectingChannel } from './reconnecting-channel';
import { Publisher } from './publisher';
import type { RabbitmqNames } from './rabbitmq-names';

export const rabbitmqCapabilities: Capabilities = {
  priority: 'none',
  rateLimit: 'bus',
  concurrency: 'native',
  orderPerKey: 'bus',
  broadcast: 'native',
  eventOrder: 'none',
  replay: 'none',
  delay: 'bus',
  retry: 'bus',
  deadLetter: 'native',
};

/**
 * CloudEvents defines prefixes for AMQP 1.0
 * (https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/amqp-protocol-binding.md), whose properties
 * RabbitMQ turns into headers. Over AMQP 0.9.1, Knative writes `ce-`.
 */
const attributePrefixes = ['cloudEvents:', 'cloudEvents_', 'ce-'];
const eventsAtOnce = 100;
const deadLettersAtOnce = 10;
const closeMs = 2_000;

/** Jobs through a direct exchange, events through a topic and a fanout exchange, all into quorum queues. */
export class RabbitmqDriver implements BrokerDriver {
  readonly name = 'rabbitmq';
  readonly capabilities = rabbitmqCapabilities;
  private readonly publisher: Publisher;
  private readonly unackedCounter: UnackedCounter;
  private readonly consumers = new Map<string, Consumer>();
  private answering: ReconnectingChannel | undefined;
  private consuming: Promise<AmqpConnection> | undefined;
  private closed: Promise<void> | undefined;

  /**
   * @param connection publishes, and asks and answers for unacknowledged counts. While RabbitMQ is short of memory or
   *   disk, it reads nothing from a connection that has published, acknowledgements included
   *   (https://www.rabbitmq.com/docs/alarms)
   * @param connectToConsume creates the connection that consumes and acknowledges, and never publishes
   */
  constructor(
    private readonly connection: AmqpConnection,
    private readonly connectToConsume: () => Promise<AmqpConnection>,
    private readonly names: RabbitmqNames,
    private readonly topology: BrokerTopology,
  ) {
    this.publisher = new Publisher(connection, async (channel) => {
      for (const { queue } of topology.queues) await declareQueue(channel, names, queue);
      for (const event of topology.events) await declareEvent(channel, names, event);
    });
    this.unackedCounter = new UnackedCounter(connection, names);
  }

  ready(): Promise<void> {
    return this.publisher.channel.ready();
  }

  async publish(messages: readonly JobMessage[]): Promise<void> {
    await this.publisher.publish(
      messages.map((message) => ({
        exchange: this.names.jobs,
        routingKey: message.queue,
        messageId: `${message.id}-${message.dispatch}`,
        content: Buffer.from(JSON.stringify(encodeMessage(message))),
        mandatory: true,
      })),
    );
  }

  async publishEvents(events: readonly EventMessage[]): Promise<void> {
    const awaited = new Set(
      this.topology.events.flatMap(({ kind, subscribers }) => (subscribers.length ? [kind] : [])),
    );
    await this.publisher.publish(
      events.map((event) => ({
        exchange: this.names.events,
        routingKey: event.kind,
        messageId: event.id,
        content: Buffer.from(JSON.stringify(encodeEvent(event))),
        mandatory: awaited.has(event.kind),
      })),
    );
  }

  subscribe(queue: string, deliver: Deliver): Promise<Subscription> {
    const declare = (channel: Channel) => declareQueue(channel, this.names, queue);
    return this.consume(this.names.queue(queue), this.prefetchOf(queue), queue, declare, deliver);
  }

  subscribeTo({ event: { kind }, subscriber }: EventSubscription, deliver: Deliver): Promise<Subscription> {
    const declare = (channel: Channel) => declareEvent(channel, this.names, { kind, subscribers: [subscriber] });
    return this.consume(
      this.names.subscriber(kind, subscriber),
      eventsAtOnce,
      subscriberQueue(kind, subscriber),
      declare,
      deliver,
    );
  }

  depth(queue: string): Promise<number> {
    return this.unackedCounter.depth(queue, this.prefetchOf(queue));
  }

  close(): Promise<void> {
    return (this.closed ??= this.closeOnce());
  }

  private async closeOnce(): Promise<void> {
    const channels = [this.publisher.channel, this.answering, ...this.consumers.values()];
    await Promise.all([this.unackedCounter.close(), ...channels.map((channel) => channel?.close())]);
    const consuming = await this.consuming;
    for (const connection of consuming ? [consuming, this.connection] : [this.connection]) {
      await withTimeout(closeMs, connection.close(), 'it did not answer').catch(() => undefined);
    }
  }

  private async consume(
    queue: string,
    prefetch: number,
    shownQueue: string,
    declare: (channel: Channel) => Promise<unknown>,
    deliver: Deliver,
  ): Promise<Subscription> {
    const handle = (message: ConsumeMessage) =>
      deliver({ broker: this.name, queue: shownQueue, body: bodyOf(message) });
    const consuming = await (this.consuming ??= this.connectToConsume());
    const consumer = new Consumer(consuming, { queue, prefetch, declare, handle });
    this.consumers.set(queue, consumer);
    this.answering ??= answerUnackedCount(this.connection, this.names, () =>
      Object.fromEntries([...this.consumers].map(([name, { unacknowledged }]) => [name, unacknowledged])),
    );
    const deadLetters = this.consumeDeadLetters(consuming, deliver);
    return {
      stop: async () => {
        await Promise.all([consumer.stop(), deadLetters.stop()]);
      },
      get trouble() {
        return consumer.trouble;
      },
    };
  }

  /** One process at a time consumes the messages that RabbitMQ has dead-lettered; the others stand by. */
  private consumeDeadLetters(consuming: AmqpConnection, deliver: Deliver): Consumer {
    const { deadLetters } = this.names;
    const there = this.consumers.get(deadLetters);
    if (there) return there;
    const declare = (channel: Channel) => declareDeadLetters(channel, this.names);
    const handle = async (message: ConsumeMessage) => {
      const { headers } = message.properties;
      const queue = headers?.['x-first-death-queue'];
      const givenUp = headers?.['x-first-death-reason'] ?? 'rejected';
      if (givenUp === 'delivery_limit' && typeof queue === 'string' && (await this.sendBack(queue, message))) return;
      await deliver({
        broker: this.name,
        queue: typeof queue === 'string' ? queue : deadLetters,
        body: message.content,
        givenUp,
      });
    };
    const consumer = new Consumer(consuming, {
      queue: deadLetters,
      prefetch: deadLettersAtOnce,
      declare,
      handle,
    });
    this.consumers.set(deadLetters, consumer);
    return consumer;
  }

  /**
   * Sends a message back that RabbitMQ dead-lettered for its delivery limit. RabbitMQ counts every delivery without an
   * acknowledgement, also those of messages that were only in flight when a connection was lost. The code above the
   * drivers counts the processes that a message killed.
   * @returns false when its queue no longer exists
   */
  private async sendBack(queue: string, { content, properties }: ConsumeMessage): Promise<boolean> {
    const { contentType, headers = {} } = properties as { contentType?: string; headers?: Record<string, unknown> };
    const message = {
      exchange: '',
      routingKey: queue,
      messageId: randomUUID(),
      content,
      mandatory: true,
      contentType,
      headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('x-'))),
    };
    for (let failures = 1; this.closed === undefined; failures += 1) {
      try {
        await this.publisher.publish([message]);
        return true;
      } catch (error) {
        if (error instanceof Unroutable) return false;
        await delay(backOffMs(failures), undefined, { ref: false });
      }
    }
    // Never acknowledged: RabbitMQ redelivers it to another process.
    return new Promise<never>(() => undefined);
  }

  private prefetchOf(queue: string): number {
    const found = this.topology.queues.find((known) => known.queue === queue);
    if (!found) throw new RangeError(`Queue "${queue}" was not registered.`);
    return found.concurrency;
  }
}

function bodyOf({ content, properties: { headers, contentType } }: ConsumeMessage): Delivery['body'] {
  return fromBinaryMode({ headers, contentType, bytes: content }, attributePrefixes);
}
