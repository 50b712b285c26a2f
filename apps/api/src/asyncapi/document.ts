import type { BrokerRoutes } from '@app/configuration';
import type { BrokerDescription } from './broker-description';
import { channelPart, serverName } from './channels';
import { messagesOf, type Catalogue } from './messages';

/**
 * Builds the AsyncAPI document (https://www.asyncapi.com/docs/reference/specification/v3.0.0): the messages that this
 * system publishes and consumes. Its sources: the definitions of jobs and events, and what each driver says of its
 * broker.
 */
export function asyncApiDocument(
  catalogue: Catalogue,
  brokers: readonly BrokerDescription[],
  routes: Pick<BrokerRoutes, 'brokerOf'>,
): AsyncApiDocument {
  const parts = brokers.flatMap((broker) => {
    const sent = catalogue.events.filter((event) => routes.brokerOf(event) === broker.broker);
    const sendsEvent = (kind: string) => sent.some((event) => event.kind === kind);
    return broker.channels.map((channel) => channelPart(catalogue, broker, channel, sendsEvent));
  });
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'node-message-queue',
      version: '1',
      description:
        'Messages are CloudEvents 1.0 in JSON. A caller requests a job by HTTP. Another service can also publish an event to the queue of the job.',
    },
    defaultContentType: 'application/cloudevents+json',
    servers: allOf(
      brokers.flatMap(({ broker, servers }) => servers.map((server, n) => ({ [serverName(broker, n)]: server }))),
    ),
    channels: allOf(parts.map(({ channels }) => channels)),
    operations: allOf(parts.map(({ operations }) => operations)),
    components: { messages: messagesOf(catalogue) },
  };
}

type Named = Readonly<Record<string, object>>;

export interface AsyncApiDocument {
  readonly asyncapi: '3.0.0';
  readonly info: object;
  readonly defaultContentType: string;
  readonly servers: Named;
  readonly channels: Named;
  readonly operations: Named;
  readonly components: { readonly messages: Named };
}

function allOf(parts: readonly Named[]): Named {
  return Object.assign({}, ...parts) as Named;
}
