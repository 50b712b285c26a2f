import type { BrokerName } from '@app/contracts';
import type { brokerSettingNames, Settings } from '@app/configuration';
import type { DynamicModule, FactoryProvider } from '@nestjs/common';
import type { BrokerDriver } from '../port/broker-driver';
import type { Capabilities } from '../port/capabilities';
import type { BrokerTopology } from '../port/topology';
import { BullmqDriverModule } from './bullmq/bullmq.module';
import { BullmqDriver, bullmqCapabilities } from './bullmq/bullmq-driver';
import type { KafkaAccess, KafkaSettings } from './kafka/kafka-connection';
import { kafkaCapabilities } from './kafka/kafka-capabilities';
import { memoryCapabilities } from './memory/memory-driver';
import { rabbitmqCapabilities } from './rabbitmq/rabbitmq-capabilities';

/** What a process needs to reach the brokers. */
export type BrokerSettings = Pick<Settings, (typeof brokerSettingNames)[number]>;

/** The address for LISTEN, migrations and BullMQ on PostgreSQL. */
export function directUrl(
  settings: Pick<BrokerSettings, 'DATABASE_URL'> & Partial<Pick<BrokerSettings, 'DATABASE_DIRECT_URL'>>,
): string {
  return settings.DATABASE_DIRECT_URL ?? settings.DATABASE_URL;
}

/** Injection token of this process's drivers: `readonly BrokerDriver[]`. */
export const DRIVERS = Symbol('DRIVERS');

/** The capabilities of each broker, for code without a driver. */
export const brokerCapabilities: Readonly<Record<BrokerName, Capabilities>> = {
  bullmq: bullmqCapabilities,
  rabbitmq: rabbitmqCapabilities,
  kafka: kafkaCapabilities,
  memory: memoryCapabilities,
};

/**
 * BullMQ's module, and the provider of all configured drivers under `DRIVERS`, BullMQ first. A process loads the client
 * libraries of RabbitMQ and Kafka only when they are configured.
 */
export function configuredDrivers(
  settings: BrokerSettings,
  application: string,
  topology: BrokerTopology,
  use: 'consume' | 'publish',
): { imports: DynamicModule[]; provider: FactoryProvider<readonly BrokerDriver[]> } {
  const { REDIS_URL, BULLMQ_PREFIX, LEASE_MS } = settings;
  const bullmq = { redisUrl: REDIS_URL, databaseUrl: directUrl(settings), prefix: BULLMQ_PREFIX, leaseMs: LEASE_MS };
  const useFactory = async (bullmqDriver: BullmqDriver) => {
    const others = await Promise.all(connectors.map((connect) => connect(settings, application, topology)));
    return [bullmqDriver, ...others.filter((driver) => driver !== undefined)];
  };
  return {
    imports: [BullmqDriverModule.forRoot(bullmq, application, topology, use)],
    provider: { provide: DRIVERS, inject: [BullmqDriver], useFactory },
  };
}

/** @returns the driver of a broker; undefined when the broker is not configured */
type Connector = (
  settings: BrokerSettings,
  application: string,
  topology: BrokerTopology,
) => Promise<BrokerDriver | undefined>;

const connectRabbitmq: Connector = async ({ RABBITMQ_URL, BROKER_PREFIX: prefix }, application, topology) => {
  if (RABBITMQ_URL === undefined) return undefined;
  const { RabbitmqDriver } = await import('@app/messaging/rabbitmq');
  return RabbitmqDriver.connect({ url: RABBITMQ_URL, prefix }, application, topology);
};

const connectKafka: Connector = async (settings, application, topology) => {
  const kafka = kafkaSettings(settings);
  if (kafka === undefined) return undefined;
  const { KafkaDriver } = await import('@app/messaging/kafka');
  return new KafkaDriver(kafka, application, topology);
};

/** The brokers besides BullMQ. */
const connectors: readonly Connector[] = [connectRabbitmq, connectKafka];

/** @returns undefined when Kafka is not configured */
export function kafkaSettings(settings: BrokerSettings): KafkaSettings | undefined {
  const { KAFKA_BROKERS: brokers, BROKER_PREFIX: prefix, LEASE_MS: leaseMs } = settings;
  return brokers && { brokers, access: kafkaAccess(settings), prefix, leaseMs };
}

function kafkaAccess({ KAFKA_USERNAME, KAFKA_PASSWORD, KAFKA_SASL, KAFKA_SSL }: BrokerSettings): KafkaAccess {
  if (KAFKA_USERNAME === undefined || KAFKA_PASSWORD === undefined) return { ssl: KAFKA_SSL };
  return { ssl: KAFKA_SSL, sasl: { mechanism: KAFKA_SASL, username: KAFKA_USERNAME, password: KAFKA_PASSWORD } };
}
