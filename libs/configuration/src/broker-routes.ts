import { requestableBrokers, type BrokerName, type JobDefinition } from '@app/contracts';
import { ConfigurationError } from './read-settings';
import type { Settings } from './settings';

export type BrokerAddresses = Pick<Settings, 'REDIS_URL' | 'RABBITMQ_URL' | 'KAFKA_BROKERS'>;

/** The setting that holds the address of a broker. BullMQ needs no server beside PostgreSQL. */
const addressOf: Readonly<Partial<Record<BrokerName, keyof Settings>>> = {
  rabbitmq: 'RABBITMQ_URL',
  kafka: 'KAFKA_BROKERS',
};

/** BullMQ is always configured. The others are configured when their addresses are set. */
export function configuredBrokers(settings: BrokerAddresses): readonly BrokerName[] {
  const given: Partial<Settings> = settings;
  return requestableBrokers.filter((broker) => {
    const address = addressOf[broker];
    return address === undefined || given[address] !== undefined;
  });
}

/** Routes each kind of job and event to one of the configured brokers. */
export class BrokerRoutes {
  /**
   * @param moved by queue: the broker that the operator has chosen instead of the definition's
   * @throws ConfigurationError for a broker that is not configured: its jobs would wait for ever
   */
  constructor(
    readonly configured: readonly BrokerName[],
    definitions: readonly JobDefinition[],
    private readonly moved: ReadonlyMap<string, BrokerName> = new Map(),
  ) {
    const queues = new Set(definitions.map(({ queue }) => queue));
    const faults = [...moved]
      .flatMap(([queue, broker]) => [
        queues.has(queue) || `JOB_BROKERS: expected one of the queues ${[...queues].join(', ')}, got "${queue}"`,
        configured.includes(broker) ||
          `JOB_BROKERS: "${queue}=${broker}" names a broker that is not configured here; choose ${configured.join(' or ')}`,
      ])
      .filter((fault) => fault !== true);
    if (faults.length > 0) throw new ConfigurationError(faults);
  }

  /**
   * @param definition of a job, or of an event, which has no queue: all subscribers of an event use one broker
   * @returns its broker. The definition's is a preference: when it is not configured, the first configured one is used
   */
  brokerOf({ queue = '', broker }: { readonly queue?: string; readonly broker: BrokerName }): BrokerName {
    const wanted = this.moved.get(queue) ?? broker;
    return this.configured.includes(wanted) ? wanted : this.configured[0]!;
  }

  /** @returns one line for each definition whose broker is not configured; for one warning at boot */
  warnings(definitions: readonly JobDefinition[]): string[] {
    return definitions
      .filter((definition) => !this.moved.has(definition.queue) && this.brokerOf(definition) !== definition.broker)
      .map(
        (definition) =>
          `${definition.kind}: ${definition.broker} is not configured, ${this.brokerOf(definition)} serves`,
      );
  }
}

/**
 * @param definitions all kinds of jobs of the system
 * @returns the routes of this system
 * @throws ConfigurationError
 */
export function brokerRoutes(
  settings: BrokerAddresses & Pick<Settings, 'JOB_BROKERS'>,
  definitions: readonly JobDefinition[],
): BrokerRoutes {
  return new BrokerRoutes(configuredBrokers(settings), definitions, settings.JOB_BROKERS);
}
