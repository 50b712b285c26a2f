import type { BrokerName } from '@app/contracts';

/** Where a broker is. Who may come in is nobody's to tell. */
export interface BrokerServer {
  readonly host: string;
  readonly protocol: string;
  readonly protocolVersion?: string;
  readonly pathname?: string;
}

/** A place that messages go to or come from: a queue, an exchange, a topic. */
export interface BrokerChannel {
  /** Names it among the places of its broker: `queue.email`. */
  readonly name: string;
  /** What a client library wants to know. */
  readonly address: string;
  readonly description: string;
  readonly carries: { readonly jobsOf: string } | { readonly event: string };
  readonly sends: boolean;
  readonly receives: boolean;
  /** In the words of AsyncAPI (https://github.com/asyncapi/bindings), by protocol. */
  readonly bindings: object;
  readonly receiveBindings?: object;
}

/** A broker of this system as others find it. Data, drawn from the names that its driver uses. */
export interface BrokerDescription {
  readonly broker: BrokerName;
  readonly servers: readonly BrokerServer[];
  readonly channels: readonly BrokerChannel[];
}

/** Of an address as it is configured, what everybody may know: no user, no password, no parameters. */
export function serverAt(url: string): BrokerServer {
  const { host, protocol, pathname } = new URL(url);
  return {
    host: host || 'localhost',
    protocol: protocol.replace(':', ''),
    ...(pathname.length > 1 && { pathname }),
  };
}
