import { promisify } from 'node:util';
import type { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import type { ConfirmChannel, Message } from 'amqplib';
import { BrokerUnavailable, Publication, Unroutable } from '../../port/broker-errors';
import { withTimeout } from '../../with-timeout';
import { ReconnectingChannel } from './reconnecting-channel';

export interface Outgoing {
  readonly exchange: string;
  readonly routingKey: string;
  /** Identifies the message in a return; unique within a batch. */
  readonly messageId: string;
  readonly content: Buffer;
  /** False for an event without subscribers: RabbitMQ then drops it instead of returning it. */
  readonly mandatory: boolean;
  /** Default: a CloudEvent in structured mode. */
  readonly contentType?: string | undefined;
  readonly headers?: Readonly<Record<string, unknown>>;
}

const deadlineMs = 4_000;
/** Below the message size limit of any RabbitMQ that is set up for events, which have at most 60 KiB of data. */
const largeBytes = 32 * 1024;

/**
 * Publishes on its own channel. One call waits for the confirms of a whole batch, and a returned message counts as
 * failed.
 */
export class Publisher {
  readonly channel: ReconnectingChannel<ConfirmChannel>;
  /** RabbitMQ first returns an unroutable message, and then confirms it. */
  private readonly returned = new Set<string>();

  constructor({ managedConnection }: AmqpConnection, declare: (channel: ConfirmChannel) => Promise<void>) {
    this.channel = new ReconnectingChannel(
      managedConnection,
      (connection) => connection.createConfirmChannel(),
      async (channel) => {
        this.returned.clear();
        channel.on('return', ({ properties }: Message) => this.returned.add(String(properties.messageId)));
        await declare(channel);
      },
    );
  }

  /** @throws BrokerUnavailable, Unroutable, PartlyPublished */
  async publish(messages: readonly Outgoing[]): Promise<void> {
    const channel = this.channel.now();
    const publication = new Publication('rabbitmq', messages.length);
    try {
      const sending = this.send(channel, messages, publication);
      await withTimeout(deadlineMs, sending, `it did not confirm within ${deadlineMs} ms`);
    } catch (error) {
      // amqplib would keep what is unconfirmed on this channel for ever.
      this.channel.renew(error);
      const why = this.channel.whyClosed ?? error;
      publication.lose(new BrokerUnavailable('rabbitmq', why));
      const most = mostBytesOf(why);
      for (const [place, { content }] of messages.entries()) {
        if (content.length > most && publication.isOpen(place)) publication.refused.set(place, (why as Error).message);
      }
    }
    const unroutable = messages.filter(({ messageId }) => this.returned.delete(messageId));
    if (unroutable.length > 0) {
      const places = unroutable.map(({ exchange, routingKey }) => `${exchange}/${routingKey}`);
      const error = new Unroutable('rabbitmq', places);
      this.channel.renew(error);
      publication.lose(error);
    }
    publication.conclude();
  }

  /**
   * A message that RabbitMQ refuses closes the channel, and the outcome of all unconfirmed messages on it is unknown.
   * It refuses messages for their size, so each large message is sent alone, after the others are confirmed.
   */
  private async send(channel: ConfirmChannel, messages: readonly Outgoing[], publication: Publication): Promise<void> {
    const publish = promisify(channel.publish.bind(channel));
    for (const places of largeApart(messages)) {
      const confirmed = places.map(async (place) => {
        const {
          exchange,
          routingKey,
          content,
          contentType = 'application/cloudevents+json',
          ...more
        } = messages[place]!;
        await publish(exchange, routingKey, content, { persistent: true, contentType, ...more });
        // An unroutable message is returned before it is confirmed.
        if (!this.returned.has(more.messageId)) publication.confirmed.add(place);
      });
      const failed = (await Promise.allSettled(confirmed)).find(({ status }) => status === 'rejected');
      if (failed) throw (failed as PromiseRejectedResult).reason;
    }
  }
}

/** @returns the indexes of the messages, in groups that are sent one after another */
function largeApart(messages: readonly Outgoing[]): number[][] {
  const small: number[] = [];
  const groups = [small];
  for (const [place, { content }] of messages.entries()) {
    if (content.length > largeBytes) groups.push([place]);
    else small.push(place);
  }
  return groups;
}

/** @returns the size limit, in bytes, for which RabbitMQ has closed the channel; infinite for any other reason */
function mostBytesOf(error: unknown): number {
  const found = /larger than configured max size (\d+)/.exec(error instanceof Error ? error.message : '');
  return found ? Number(found[1]) : Number.POSITIVE_INFINITY;
}
