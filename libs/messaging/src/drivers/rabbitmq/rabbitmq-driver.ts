import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import type { Channel, ConsumeMessage } from 'amqplib';
import type { BrokerDriver } from '../../port/broker-driver';
import type { Deliver, EventSubscription, Subscription } from '../../port/consumer';
import type { EventMessage, JobMessage } from '../../port/publisher';
import { fromBinaryMode } from '../../port/binary-mode';
import { Unroutable } from '../../port/broker-errors';
import { encodeEvent, encodeMessage } from '../../port/job-message';
import { queueOf, subscriberQueue, type BrokerTopology } from '../../port/topology';
import { backOffMs } from '../../retry-until-database-up';
import { withTimeout } from '../../with-timeout';
import { Consumer, type Consumption } from './consumer';
import { declareDeadLetters, declareEvent, declareQueue } from './declare';
import { Publisher } from './publisher';
import { connectRabbitmq, type RabbitmqSettings } from './rabbitmq-connection';
import { rabbitmqCapabilities } from './rabbitmq-capabilities';
import { RabbitmqNames } from './rabbitmq-names';
import { UnackedCounter } from './unacked-counter';

/**
 * CloudEvents defines the first two prefixes, for the application properties of AMQP 1.0
 * (https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/amqp-protocol-binding.md). RabbitMQ turns these
 * properties into headers. Knative uses AMQP 0.9.1 and writes `ce-`.
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
  private consuming: Promise<AmqpConnection> | undefined;
  private closed: Promise<void> | undefined;

  /**
   * @param connection publishes, and asks and answers for unacknowledged counts. While RabbitMQ is short of memory or
   *   disk, it reads nothing from a connection that has published, acknowledgements included
   *   (https://www.rabbitmq.com/docs/alarms)
   * @param connectToConsume creates the connection that consumes and acknowledges, and never publishes
   */
  private constructor(
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

  /**
   * Does not wait for RabbitMQ.
   * @param application the name of the connections, for operators
   */
  static async connect(
    settings: RabbitmqSettings,
    application: string,
    topology: BrokerTopology,
  ): Promise<RabbitmqDriver> {
    const toConsume = () => connectRabbitmq(settings, `${application} consumer`);
    const connection = await connectRabbitmq(settings, application);
    return new RabbitmqDriver(connection, toConsume, new RabbitmqNames(settings.prefix), topology);
  }

  ready(): Promise<void> {
    return this.publisher.channel.opened;
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
    const subscribed = this.topology.events.filter(({ subscribers }) => subscribers.length > 0);
    const awaited = new Set(subscribed.map(({ kind }) => kind));
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
    const consumption = {
      queue: this.names.queue(queue),
      prefetch: queueOf(this.topology, queue).concurrency,
      declare: (channel: Channel) => declareQueue(channel, this.names, queue),
    };
    return this.consume(consumption, queue, deliver);
  }

  subscribeTo({ event: { kind }, subscriber }: EventSubscription, deliver: Deliver): Promise<Subscription> {
    const consumption = {
      queue: this.names.subscriber(kind, subscriber),
      prefetch: eventsAtOnce,
      declare: (channel: Channel) => declareEvent(channel, this.names, { kind, subscribers: [subscriber] }),
    };
    return this.consume(consumption, subscriberQueue(kind, subscriber), deliver);
  }

  depth(queue: string): Promise<number> {
    return this.unackedCounter.depth(queue, queueOf(this.topology, queue).concurrency);
  }

  close(): Promise<void> {
    return (this.closed ??= this.closeOnce());
  }

  private async closeOnce(): Promise<void> {
    const parts = [this.publisher.channel, this.unackedCounter, ...this.consumers.values()];
    await Promise.all(parts.map((part) => part.close()));
    for (const connection of [await this.consuming, this.connection]) {
      if (connection) await withTimeout(closeMs, connection.close(), 'it did not answer').catch(() => undefined);
    }
  }

  private async consume(
    consumption: Omit<Consumption, 'handle'>,
    queue: string,
    deliver: Deliver,
  ): Promise<Subscription> {
    const consuming = await (this.consuming ??= this.connectToConsume());
    const consumer = this.startConsumer(consuming, {
      ...consumption,
      handle: ({ content: bytes, properties: { headers, contentType } }) =>
        deliver({ broker: this.name, queue, body: fromBinaryMode({ headers, contentType, bytes }, attributePrefixes) }),
    });
    this.unackedCounter.answer(() =>
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
    return this.startConsumer(consuming, {
      queue: deadLetters,
      prefetch: deadLettersAtOnce,
      declare: (channel) => declareDeadLetters(channel, this.names),
      handle: async (message) => {
        const { headers } = message.properties;
        const queue = headers?.['x-first-death-queue'];
        const givenUp = headers?.['x-first-death-reason'] ?? 'rejected';
        if (givenUp === 'delivery_limit' && typeof queue === 'string' && (await this.sendBack(queue, message))) return;
        const from = this.names.withoutPrefix(typeof queue === 'string' ? queue : deadLetters);
        await deliver({ broker: this.name, queue: from, body: message.content, givenUp });
      },
    });
  }

  private startConsumer(consuming: AmqpConnection, consumption: Consumption): Consumer {
    const consumer = new Consumer(consuming, consumption);
    this.consumers.set(consumption.queue, consumer);
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
}
