/** A message broker that tests and people may need, and how one is had on this machine. */
export interface Broker {
  readonly name: 'Redis' | 'RabbitMQ' | 'Kafka';
  /** The variable that holds its address. */
  readonly variable: 'REDIS_URL' | 'RABBITMQ_URL' | 'KAFKA_BROKERS';
  /** One line for who has none. */
  readonly howToGet: string;
  /** Whether its programs are on this machine. */
  isInstalled(): boolean;
  /** @throws NotToBeHad */
  start(options?: StartOptions): Promise<RunningBroker>;
  addressAt(port: number): string;
  /** Rejects while it does not do its work at this address. */
  ask(address: string): Promise<void>;
  /** What `docker run` is given to have it at this port of 127.0.0.1. */
  container(port: number): readonly string[];
}

export interface StartOptions {
  /** Without one it gets a free one. */
  readonly port?: number;
  /** The caller's, and left alone at the end. Without one it gets a folder of its own, which ends with it. */
  readonly dataFolder?: string;
  /** Where its clients reach it when something stands in between: Kafka tells them where to go on. */
  readonly advertisedPort?: number;
  /** Added to the server's own settings, or in their place; Kafka only. */
  readonly settings?: (place: { port: number; controllerPort: number }) => Readonly<Record<string, string>>;
}

/**
 * A child process of ours, on 127.0.0.1 only, which ends with us at the latest. Killed and started again on the same
 * port and folder it goes on with what it has written.
 */
export interface RunningBroker {
  /** What its variable takes. */
  readonly url: string;
  readonly port: number;
  /** SIGKILL. It is gone when this resolves. */
  readonly kill: () => Promise<void>;
  /** Ends it in order. Nothing of it is left when this resolves, whether it was killed before or not. */
  readonly stop: () => Promise<void>;
}

/** This machine lacks what the broker needs; the message says how to get it. */
export class BrokerNotInstalled extends Error {}
