import { Kafka, logLevel, type SASLOptions } from 'kafkajs';
import { replaceUnreadableRecords } from './unreadable-records';

/** How a client is let in. */
export interface KafkaAccess {
  readonly ssl?: boolean;
  readonly sasl?: SASLOptions;
}

export interface KafkaSettings {
  readonly brokers: readonly string[];
  /** Without it: no TLS, and no name. */
  readonly access?: KafkaAccess;
  /** Stands before every topic and group: keeps two systems on one Kafka apart. */
  readonly prefix: string;
  /** How long a worker may be silent before Kafka gives its partitions to another: as long as the ledger waits. */
  readonly leaseMs: number;
}

// kafkajs 2 warns of the partitioner of kafkajs 1, which nobody here has ever used.
process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';

replaceUnreadableRecords();

/** A client whose every request ends within seconds; who asks again, and when, is decided above it. */
export function connectKafka({ brokers, access }: KafkaSettings, application: string): Kafka {
  return new Kafka({
    clientId: application,
    brokers: [...brokers],
    ...access,
    connectionTimeout: 1_500,
    requestTimeout: 4_000,
    enforceRequestTimeout: true,
    retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 5 },
    // Whoever asked gets the error of his own call, and the driver tells of the rest.
    logLevel: logLevel.NOTHING,
  });
}
