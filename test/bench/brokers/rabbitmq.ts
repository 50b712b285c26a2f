import { setTimeout as delay } from 'node:timers/promises';
import { connect, type ConsumeMessage } from 'amqplib';
import { benchQueue } from '../drain/bench-queue';
import { batches, type BenchBroker } from './bench-broker';

/**
 * amqplib: publishes with confirms, with one wait per batch, and acknowledges `multiple` up to the last finished
 * message.
 */
export async function connectRabbitmq(environment: NodeJS.ProcessEnv): Promise<BenchBroker> {
  const prefix = environment['BROKER_PREFIX']!;
  const queue = `${prefix}${benchQueue}`;
  const connection = await connect(environment['RABBITMQ_URL']!);
  const channel = await connection.createConfirmChannel();
  return {
    publish: async (messages) => {
      for (const batch of batches(messages)) {
        for (const { id, body } of batch) {
          const options = { persistent: true, mandatory: true, messageId: id };
          channel.publish(`${prefix}jobs`, benchQueue, Buffer.from(JSON.stringify(body)), options);
        }
        await channel.waitForConfirms();
      }
    },

    consume: async (concurrency, take) => {
      const consuming = await connection.createChannel();
      await consuming.prefetch(concurrency);
      const chunks: { readonly last: ConsumeMessage; done: boolean }[] = [];
      let arrived: ConsumeMessage[] = [];
      let tag: string | undefined;

      const work = async (messages: readonly ConsumeMessage[]): Promise<void> => {
        const chunk = { last: messages.at(-1)!, done: false };
        chunks.push(chunk);
        await take(messages.map(({ content }) => content));
        chunk.done = true;
        let last: ConsumeMessage | undefined;
        while (chunks[0]?.done) last = chunks.shift()!.last;
        if (last) consuming.ack(last, true);
      };
      const receive = (message: ConsumeMessage | null): void => {
        if (!message) throw new Error(`${queue} was taken away.`);
        // Messages that arrive in one turn of the event loop are handled together.
        if (arrived.push(message) > 1) return;
        setImmediate(() => {
          const messages = arrived;
          arrived = [];
          void work(messages);
        });
      };
      return {
        start: () => void consuming.consume(queue, receive).then(({ consumerTag }) => (tag = consumerTag)),
        stop: async () => {
          if (tag !== undefined) await consuming.cancel(tag);
          await consuming.close();
        },
      };
    },

    depth: async () => {
      // Unacknowledged messages of a consumer are ready again when the queue knows that the consumer has disconnected.
      for (;;) {
        const { messageCount, consumerCount } = await channel.checkQueue(queue);
        if (consumerCount === 0) return messageCount;
        await delay(20);
      }
    },

    failed: async () => (await channel.checkQueue(`${prefix}dead-letters`)).messageCount,

    cleanUp: async (names) => {
      for (const name of [...names, 'jobs', 'events', 'dead-letters', 'census']) {
        await channel.deleteQueue(`${prefix}${name}`);
        await channel.deleteExchange(`${prefix}${name}`);
      }
    },

    close: () => connection.close(),
  };
}
