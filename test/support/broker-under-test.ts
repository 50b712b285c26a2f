import {
  MemoryDriver,
  subscriberQueue,
  type BrokerDriver,
  type BrokerTopology,
  type Capabilities,
} from '@app/messaging';

/** A broker as the tests of the core meet it: through its driver, as a stranger, and as an accident. */
export interface BrokerUnderTest {
  /** One process's way to the broker: the relay's, which publishes, or a worker's, which takes. */
  connect(use: 'publish' | 'consume', topology: BrokerTopology): Promise<BrokerDriver>;
  /** Puts a body on a queue as a service of somebody else would. */
  publishRaw(queue: string, body: unknown): Promise<void>;
  /** Tells an event as a service of somebody else would. */
  publishRawEvent(kind: string, body: unknown): Promise<void>;
  /** Loses every message of a queue that nobody works on. */
  forget(queue: string): Promise<void>;
  close(): Promise<void>;
}

/** Less than an event may have. */
export const strictBytes = 40_000;

/** What a broker has to bring to be tested: the same for each of them. */
export interface Harness {
  readonly name: string;
  readonly isThere: boolean;
  readonly capabilities: Capabilities;
  /** Whether a message is whatever bytes somebody sends, or JSON that a client library has parsed. */
  readonly carries: 'bytes' | 'json';
  /** @param databaseUrl a fresh, migrated database, for a broker that lives in PostgreSQL */
  start(databaseUrl: string): Promise<BrokerUnderTest>;
  /** The same broker, which refuses a message of more than `strictBytes`; undefined where nothing makes it do so. */
  readonly strict: Pick<Harness, 'start'> | undefined;
}

/** All connections to it share one driver: what it holds is in this process. */
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
