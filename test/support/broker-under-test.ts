import {
  MemoryDriver,
  subscriberQueue,
  type BrokerDriver,
  type BrokerTopology,
  type Capabilities,
} from '@app/messaging';

/** A broker in tests of the core. It serves its driver and a foreign client, and can lose its messages. */
export interface BrokerUnderTest {
  /** Connects one process: the relay, which publishes, or a worker, which consumes. */
  connect(use: 'publish' | 'consume', topology: BrokerTopology): Promise<BrokerDriver>;
  /** Puts a body on a queue, as another service does. */
  publishRaw(queue: string, body: unknown): Promise<void>;
  /** Publishes an event, as another service does. */
  publishRawEvent(kind: string, body: unknown): Promise<void>;
  /** Deletes every message of a queue that has no consumer. */
  forget(queue: string): Promise<void>;
  close(): Promise<void>;
}

/** Bytes. Less than an event may have (60 KiB), so that an event can be too large for the broker. */
export const strictBytes = 40_000;

/** What each broker has to provide to be tested. */
export interface Harness {
  readonly name: string;
  readonly isThere: boolean;
  readonly capabilities: Capabilities;
  /** Whether a message is any bytes, or JSON that a client library has parsed. */
  readonly carries: 'bytes' | 'json';
  /** @param databaseUrl a fresh, migrated database, for a broker in PostgreSQL */
  start(databaseUrl: string): Promise<BrokerUnderTest>;
  /** The same broker with a limit of `strictBytes` per message; undefined when it cannot be limited. */
  readonly strict: Pick<Harness, 'start'> | undefined;
}

/** All connections share one driver, which holds the messages in this process. */
export class MemoryBroker implements BrokerUnderTest {
  private driver: MemoryDriver | undefined;
  private events: BrokerTopology['events'] = [];

  connect(_use: 'publish' | 'consume', topology: BrokerTopology): Promise<BrokerDriver> {
    this.events = topology.events;
    return Promise.resolve((this.driver ??= new MemoryDriver(topology)));
  }

  publishRaw(queue: string, body: unknown): Promise<void> {
    this.driver!.publishRaw(queue, body);
    return Promise.resolve();
  }

  publishRawEvent(kind: string, body: unknown): Promise<void> {
    for (const subscriber of this.subscribersOf(kind)) this.driver!.publishRaw(subscriberQueue(kind, subscriber), body);
    return Promise.resolve();
  }

  forget(queue: string): Promise<void> {
    this.driver!.forget(queue);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private subscribersOf(event: string): readonly string[] {
    return this.events.find(({ kind }) => kind === event)!.subscribers;
  }
}
