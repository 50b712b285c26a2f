import type { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import type { ConfirmChannel, Message, Options } from 'amqplib';
import { BrokerUnavailable, Publication, Unroutable } from '../../port/broker-errors';
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
  /** Default: a CloudEvent in structured mode. */
  readonly contentType?: string | undefined;
  readonly headers?: Readonly<Record<string, unknown>>;
}

const deadlineMs = 4_000;

/** A channel of its own for publishing: confirms in windows of a whole batch, and returns that count as failures. */
export class Publisher {
  readonly channel: LastingChannel<ConfirmChannel>;
  /** RabbitMQ says first that it returns a message, and then confirms it. */
  private readonly returned = new Set<string>();

  constructor({ managedConnection }: AmqpConnection, declare: (channel: ConfirmChannel) => Promise<void>) {
    this.channel = LastingChannel.confirming(managedConnection, async (channel) => {
      this.returned.clear();
      channel.on('return', ({ properties }: Message) => this.returned.add(String(properties.messageId)));
      await declare(channel);
    });
  }

  /** @throws BrokerUnavailable, Unroutable, PartlyPublished */
  async publish(messages: readonly Outgoing[]): Promise<void> {
    const channel = this.channel.now();
    const publication = new Publication('rabbitmq', messages.length);
    const confirmed = messages.map((message, place) =>
      this.confirmed(channel, message).then(() => {
        // What goes nowhere is returned first, and then confirmed.
        if (!this.returned.has(message.messageId)) publication.confirm([place]);
      }),
    );
    try {
      const settled = await within(
        deadlineMs,
        Promise.allSettled(confirmed),
        `it did not confirm within ${deadlineMs} ms`,
      );
      const failed = settled.find(({ status }) => status === 'rejected');
      if (failed) throw (failed as PromiseRejectedResult).reason;
    } catch (error) {
      // What is still unconfirmed on this channel would be kept for ever.
      this.channel.renew(error);
      const why = this.channel.whyClosed ?? error;
      publication.lose(new BrokerUnavailable('rabbitmq', why));
      const most = mostBytesOf(why);
      for (const [place, { content }] of messages.entries()) {
        if (content.length > most && publication.isOpen(place)) publication.refuse(place, (why as Error).message);
      }
    }
    const unroutable = messages.filter(({ messageId }) => this.returned.delete(messageId));
    if (unroutable.length > 0) {
      const error = new Unroutable(
        'rabbitmq',
        unroutable.map(({ exchange, routingKey }) => `${exchange}/${routingKey}`),
      );
      this.channel.renew(error);
      publication.lose(error);
    }
    publication.conclude();
  }

  private confirmed(
    channel: ConfirmChannel,
    { exchange, routingKey, messageId, content, mandatory, contentType, headers }: Outgoing,
  ): Promise<void> {
    const options: Options.Publish = {
      persistent: true,
      mandatory,
      messageId,
      contentType: contentType ?? 'application/cloudevents+json',
      headers,
    };
    return new Promise((resolve, reject) => {
      channel.publish(exchange, routingKey, content, options, (error) => {
        if (error) reject(error instanceof Error ? error : new Error('it refused the message'));
        else resolve();
      });
    });
  }
}

/** A message that is larger closes the channel, and with it what was sent behind it. */
function mostBytesOf(error: unknown): number {
  const found = /larger than configured max size (\d+)/.exec(error instanceof Error ? error.message : '');
  return found ? Number(found[1]) : Number.POSITIVE_INFINITY;
}
