import type { BrokerChannel, BrokerDescription } from './broker-description';
import type { AsyncApiDocument } from './document';
import { messageNames, type Catalogue } from './messages';

/**
 * Describes one queue, exchange or topic of a broker.
 * @param sendsEvent whether this system publishes events of a kind on this broker
 * @returns its parts of the document
 */
export function channelPart(
  catalogue: Catalogue,
  { broker, servers }: BrokerDescription,
  channel: BrokerChannel,
  sendsEvent: (kind: string) => boolean,
): Pick<AsyncApiDocument, 'channels' | 'operations'> {
  const id = `${broker}.${channel.name}`;
  const { carries } = channel;
  const { sent, received } = carriedBy(channel, catalogue);
  const sends = channel.sends && ('jobsOf' in carries || sendsEvent(carries.event));
  const operation = (action: 'send' | 'receive', names: readonly string[], bindings?: object) => ({
    [`${action}.${id}`]: {
      action,
      channel: { $ref: `#/channels/${id}` },
      messages: names.map((name) => ({ $ref: `#/channels/${id}/messages/${name}` })),
      ...(bindings && { bindings }),
    },
  });
  return {
    channels: {
      [id]: {
        address: channel.address,
        description: channel.description,
        servers: servers.map((_, n) => ({ $ref: `#/servers/${serverName(broker, n)}` })),
        messages: Object.fromEntries(received.map((name) => [name, { $ref: `#/components/messages/${name}` }])),
        bindings: channel.bindings,
      },
    },
    operations: {
      ...(sends && operation('send', sent)),
      ...(channel.receives && operation('receive', received, channel.receiveBindings)),
    },
  };
}

/** Names a server of the document. Each address of a broker is one server; `n` counts from 0. */
export function serverName(broker: string, n: number): string {
  return n === 0 ? broker : `${broker}-${n + 1}`;
}

/** Returns the messages of a channel: our own ones and, on a job queue, the requests of other services. */
function carriedBy({ carries }: BrokerChannel, { jobs, events }: Catalogue) {
  if ('event' in carries) {
    const names = events.filter(({ kind }) => kind === carries.event).map(messageNames.event);
    return { sent: names, received: names };
  }
  const ofQueue = jobs.filter(({ queue }) => queue === carries.jobsOf);
  const dispatches = ofQueue.map(messageNames.dispatch);
  return { sent: dispatches, received: [...dispatches, ...ofQueue.map(messageNames.request)] };
}
