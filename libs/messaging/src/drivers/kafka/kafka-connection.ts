import { Kafka, logLevel, type SASLOptions } from 'kafkajs';
import { replaceUnreadableRecords } from './unreadable-records';

/** How a client authenticates, and whether it uses TLS. */
export interface KafkaAccess {
  readonly ssl?: boolean;
  readonly sasl?: SASLOptions;
}

export interface KafkaSettings {
  readonly brokers: readonly string[];
  /** Without it: no TLS and no authentication. */
  readonly access?: KafkaAccess;
  /** A prefix for every topic and group: separates two systems on one Kafka. */
  readonly prefix: string;
  /**
   * Milliseconds without a heartbeat after which Kafka gives a worker's partitions to another. The same as the ledger's
   * lease.
   */
  readonly leaseMs: number;
}

// kafkajs 2 warns about the changed partitioner of kafkajs 1, which this system never used.
process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';

replaceUnreadableRecords();

/** A client whose every request ends within seconds. The driver or its caller decides about retries. */
export function connectKafka({ brokers, access }: KafkaSettings, application: string): Kafka {
  return new Kafka({
    clientId: application,
    brokers: [...brokers],
    ...access,
    connectionTimeout: 1_500,
    requestTimeout: 4_000,
    enforceRequestTimeout: true,
    retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 5 },
    // Each caller gets the error of its own call, and the driver logs the rest.
    logLevel: logLevel.NOTHING,
  });
}
