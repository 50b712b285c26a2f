import type { BrokerName } from '@app/contracts';

/** The address of a broker, without credentials. */
export interface BrokerServer {
  readonly host: string;
  readonly protocol: string;
  readonly protocolVersion?: string;
  readonly pathname?: string;
}

/** A queue, exchange or topic that messages are sent to or received from. */
export interface BrokerChannel {
  /** Unique within the broker: `queue.email`. */
  readonly name: string;
  /** The name that a client library needs. */
  readonly address: string;
  readonly description: string;
  readonly carries: { readonly jobsOf: string } | { readonly event: string };
  /** Whether this system sends messages to it. Default: false. */
  readonly sends?: boolean;
  /** Whether this system receives messages from it. Default: false. */
  readonly receives?: boolean;
  /** AsyncAPI bindings by protocol (https://github.com/asyncapi/bindings). */
  readonly bindings: object;
  readonly receiveBindings?: object;
}

/** A broker as other services need to know it. Data, derived from the names that its driver uses. */
export interface BrokerDescription {
  readonly broker: BrokerName;
  readonly servers: readonly BrokerServer[];
  readonly channels: readonly BrokerChannel[];
}

/** @returns the public parts of a configured address, without user, password and parameters */
export function serverAt(url: string): BrokerServer {
  const { host, protocol, pathname } = new URL(url);
  return {
    host: host || 'localhost',
    protocol: protocol.replace(':', ''),
    ...(pathname.length > 1 && { pathname }),
  };
}
