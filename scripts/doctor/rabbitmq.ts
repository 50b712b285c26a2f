import { connect, type Channel, type ChannelModel } from 'amqplib';
import type { BrokerTopology } from '@app/messaging';
import { queueOptions } from '../../libs/messaging/src/drivers/rabbitmq/declare';
import { RabbitmqNames } from '../../libs/messaging/src/drivers/rabbitmq/rabbitmq-names';
import { finding, unreachable, type Finding } from './finding';

/** The oldest version on which this system is tested. */
const oldestVersion = [3, 10] as const;

/** Creates nothing: a queue that does not exist yet is made by the first worker. */
export async function* examineRabbitmq(
  settings: { readonly url: string; readonly prefix: string },
  { queues, events }: BrokerTopology,
): AsyncGenerator<Finding> {
  let connection: ChannelModel;
  try {
    connection = await connect(settings.url, { timeout: 5_000 });
  } catch (error) {
    yield unreachable('RABBITMQ_URL', error);
    return;
  }
  connection.on('error', () => undefined); // The call that caused it rejects too.
  try {
    const version = String((connection.connection.serverProperties as { version?: unknown }).version);
    const [major = 0, minor = 0] = version.split('.').map(Number);
    yield finding(
      `it is RabbitMQ ${oldestVersion.join('.')} or newer`,
      version,
      (major < oldestVersion[0] || (major === oldestVersion[0] && minor < oldestVersion[1])) && {
        why: 'this system is not tested on older versions',
        proceed: 'upgrade one minor version at a time; enable all feature flags before each step',
      },
    );
    const names = new RabbitmqNames(settings.prefix);
    const all = [
      ...queues.map(({ queue }) => names.queue(queue)),
      ...events.flatMap(({ kind, subscribers }) => subscribers.map((subscriber) => names.subscriber(kind, subscriber))),
    ];
    const looked = [];
    for (const name of all) looked.push({ name, fault: await faultOf(connection, name, names) });
    const there = looked.filter(({ fault }) => fault !== 'missing');
    const wrong = there.filter(({ fault }) => fault !== undefined);
    yield finding(
      'its queues are quorum queues with our delivery limit',
      wrong.map(({ name, fault }) => `${name}: ${fault!}`).join('; ') ||
        `${there.length} of ${all.length} exist, all are`,
      wrong.length > 0 && {
        why: 'a classic queue is on one node and is lost with it; without the limit a poison message is delivered for ever',
        proceed: 'stop the workers, drain and delete the queue, and start them: they declare it anew',
      },
    );
  } finally {
    await connection.close().catch(() => undefined);
  }
}

/** @returns `missing`, why RabbitMQ refuses our declaration of the queue, or undefined when it accepts it */
async function faultOf(connection: ChannelModel, queue: string, names: RabbitmqNames): Promise<string | undefined> {
  const refused = await refusal(connection, (channel) => channel.checkQueue(queue));
  if (refused !== undefined) return refused.includes('404') ? 'missing' : refused;
  return refusal(connection, (channel) => channel.assertQueue(queue, queueOptions(names)));
}

/** RabbitMQ closes the channel of a refused declaration, so each has its own. */
async function refusal(
  connection: ChannelModel,
  ask: (channel: Channel) => PromiseLike<unknown>,
): Promise<string | undefined> {
  const channel = await connection.createChannel();
  channel.on('error', () => undefined);
  try {
    await ask(channel);
    await channel.close();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
