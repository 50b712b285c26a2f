/** A message broker for tests and for development, and how to start it on this machine. */
export interface Broker {
  readonly name: 'Redis' | 'RabbitMQ' | 'Kafka';
  /** The environment variable that holds its address. */
  readonly variable: 'REDIS_URL' | 'RABBITMQ_URL' | 'KAFKA_BROKERS';
  /** One line that says how to install it. */
  readonly howToGet: string;
  /** Whether its programs are on this machine. */
  isInstalled(): boolean;
  /** @throws BrokerNotInstalled */
  start(options?: StartOptions): Promise<RunningBroker>;
  addressAt(port: number): string;
  /** Rejects while the broker does not work at this address. */
  ask(address: string): Promise<void>;
  /** The arguments of `docker run` that start it at this port of 127.0.0.1. */
  container(port: number): readonly string[];
}

export interface StartOptions {
  /** Default: a free port. */
  readonly port?: number;
  /** A folder of the caller, which is kept at the end. Default: a temporary folder, which is removed at the end. */
  readonly dataFolder?: string;
  /** The port at which clients reach it through a proxy: Kafka sends its clients this address. */
  readonly advertisedPort?: number;
  /** Returns further settings of the server. A setting replaces the default one of the same name. Kafka only. */
  readonly settings?: (place: { port: number; controllerPort: number }) => Readonly<Record<string, string>>;
}

/**
 * A child process on 127.0.0.1, which ends with this process at the latest. Killed and started again on the same port
 * and folder, it continues with what it has written.
 */
export interface RunningBroker {
  /** The value for its environment variable. */
  readonly url: string;
  readonly port: number;
  /** Sends SIGKILL. Resolves when the process has ended. */
  readonly kill: () => Promise<void>;
  /** Stops it in order, whether it was killed before or not. Resolves when nothing of it is left. */
  readonly stop: () => Promise<void>;
}

/** This machine lacks what the broker needs; the message says how to install it. */
export class BrokerNotInstalled extends Error {}
