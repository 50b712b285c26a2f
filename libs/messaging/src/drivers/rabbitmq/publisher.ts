import type { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import type { ConfirmChannel, Message, Options } from 'amqplib';
import { BrokerUnavailable, Unroutable } from '../../port/broker-errors';
import { within } from '../../within';
import { LastingChannel } from './lasting-channel';

export interface Outgoing {
  readonly exchange: string;
  readonly routingKey: string;
  /** Names the message in a return; no two of one batch have the same. */
  readonly messageId: string;
  readonly content: Buffer;
  /** An event that nobody subscribed to may go nowhere. */
  readonly mandatory: boolean;
}

const deadlineMs = 4_000;

/** A channel of its own for publishing: confirms in windows of a whole batch, and returns that count as failures. */
export class Publisher {
  readonly channel: LastingChannel<ConfirmChannel>;
  /** RabbitMQ says first that it returns a message, and then confirms it. */
  private readonly returned = new Set<string>();
  private blockedBy: string | undefined;

  constructor({ managedConnection }: AmqpConnection, declare: (channel: ConfirmChannel) => Promise<void>) {
    this.channel = LastingChannel.confirming(managedConnection, async (channel) => {
      this.returned.clear();
      this.blockedBy = undefined;
      channel.on('return', ({ properties }: Message) => this.returned.add(String(properties.messageId)));
      await declare(channel);
    });
    managedConnection.on('blocked', ({ reason }: { reason: string }) => (this.blockedBy = reason));
    managedConnection.on('unblocked', () => (this.blockedBy = undefined));
  }

  /** @throws BrokerUnavailable, Unroutable */
  async publish(messages: readonly Outgoing[]): Promise<void> {
    if (this.blockedBy !== undefined) throw this.unavailable(`it takes nothing (${this.blockedBy})`);
    const channel = this.channel.now();
    const confirmed = Promise.all(messages.map((message) => this.confirmed(channel, message)));
    try {
      await within(deadlineMs, confirmed, `it did not confirm within ${deadlineMs} ms`);
    } catch (error) {
      // What is still unconfirmed on this channel would be kept for ever.
      this.channel.renew(error);
      throw this.unavailable(error);
    }
    const unroutable = messages.filter(({ messageId }) => this.returned.delete(messageId));
    if (unroutable.length === 0) return;
    const error = new Unroutable(
      'rabbitmq',
      unroutable.map(({ exchange, routingKey }) => `${exchange}/${routingKey}`),
    );
    this.channel.renew(error);
    throw error;
  }

  private confirmed(
    channel: ConfirmChannel,
    { exchange, routingKey, messageId, content, mandatory }: Outgoing,
  ): Promise<void> {
    const options: Options.Publish = {
      persistent: true,
      mandatory,
      messageId,
      contentType: 'application/cloudevents+json',
    };
    return new Promise((resolve, reject) => {
      channel.publish(exchange, routingKey, content, options, (error) => {
        if (error) reject(error instanceof Error ? error : new Error('it refused the message'));
        else resolve();
      });
    });
  }

  private unavailable(reason: unknown): BrokerUnavailable {
    return new BrokerUnavailable('rabbitmq', reason);
  }
}
