import type { BrokerName } from '@app/contracts';
import type { Settings } from '@app/configuration';
import type { DynamicModule, FactoryProvider, Type } from '@nestjs/common';
import type { BrokerDescription } from '../port/broker-description';
import type { BrokerDriver } from '../port/broker-driver';
import type { Capabilities } from '../port/capabilities';
import type { BrokerTopology } from '../port/topology';
import { BullmqDriverModule } from './bullmq/bullmq.module';
import { BullmqDriver, bullmqCapabilities } from './bullmq/bullmq-driver';
import { describeBullmq } from './bullmq/describe-bullmq';
import { describeKafka } from './kafka/describe-kafka';
import type { KafkaAccess } from './kafka/kafka-connection';
import { kafkaCapabilities, KafkaDriver } from './kafka/kafka-driver';
import { KafkaDriverModule } from './kafka/kafka.module';
import { memoryCapabilities } from './memory/memory-driver';
import { describeRabbitmq } from './rabbitmq/describe-rabbitmq';
import { rabbitmqCapabilities, RabbitmqDriver } from './rabbitmq/rabbitmq-driver';
import { RabbitmqDriverModule } from './rabbitmq/rabbitmq.module';

/** The settings that a process needs to reach the brokers. */
export const brokerSettingNames = [
  'DATABASE_URL',
  'DATABASE_DIRECT_URL',
  'REDIS_URL',
  'BULLMQ_PREFIX',
  'RABBITMQ_URL',
  'KAFKA_BROKERS',
  'KAFKA_USERNAME',
  'KAFKA_PASSWORD',
  'KAFKA_SASL',
  'KAFKA_SSL',
  'BROKER_PREFIX',
  'LEASE_MS',
  'JOB_BROKERS',
] as const;

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

/** The modules of the configured drivers, and the provider that collects them under `DRIVERS`, BullMQ first. */
export function configuredDrivers(
  settings: BrokerSettings,
  application: string,
  topology: BrokerTopology,
  use: 'consume' | 'publish',
): { imports: DynamicModule[]; provider: FactoryProvider<readonly BrokerDriver[]> } {
  const { REDIS_URL, BULLMQ_PREFIX, RABBITMQ_URL, KAFKA_BROKERS, BROKER_PREFIX, LEASE_MS } = settings;
  const bullmq = { redisUrl: REDIS_URL, databaseUrl: directUrl(settings), prefix: BULLMQ_PREFIX, leaseMs: LEASE_MS };
  const imports = [BullmqDriverModule.forRoot(bullmq, application, topology, use)];
  const drivers: Type<BrokerDriver>[] = [BullmqDriver];
  if (RABBITMQ_URL !== undefined) {
    const rabbitmq = { url: RABBITMQ_URL, prefix: BROKER_PREFIX };
    imports.push(RabbitmqDriverModule.forRoot(rabbitmq, application, topology));
    drivers.push(RabbitmqDriver);
  }
  if (KAFKA_BROKERS !== undefined) {
    const access = kafkaAccess(settings);
    const kafka = { brokers: KAFKA_BROKERS, access, prefix: BROKER_PREFIX, leaseMs: LEASE_MS };
    imports.push(KafkaDriverModule.forRoot(kafka, application, topology));
    drivers.push(KafkaDriver);
  }
  return { imports, provider: { provide: DRIVERS, inject: drivers, useFactory: (...made: BrokerDriver[]) => made } };
}

function kafkaAccess({ KAFKA_USERNAME, KAFKA_PASSWORD, KAFKA_SASL, KAFKA_SSL }: BrokerSettings): KafkaAccess {
  if (KAFKA_USERNAME === undefined || KAFKA_PASSWORD === undefined) return { ssl: KAFKA_SSL };
  return { ssl: KAFKA_SSL, sasl: { mechanism: KAFKA_SASL, username: KAFKA_USERNAME, password: KAFKA_PASSWORD } };
}

/** Describes the configured brokers, BullMQ first. Connects to none of them. */
export function describeBrokers(settings: BrokerSettings, topology: BrokerTopology): BrokerDescription[] {
  const { REDIS_URL, BULLMQ_PREFIX, RABBITMQ_URL, KAFKA_BROKERS, BROKER_PREFIX: prefix } = settings;
  const bullmq = { redisUrl: REDIS_URL, databaseUrl: directUrl(settings), prefix: BULLMQ_PREFIX };
  return [
    describeBullmq(bullmq, topology),
    ...(RABBITMQ_URL === undefined ? [] : [describeRabbitmq({ url: RABBITMQ_URL, prefix }, topology)]),
    ...(KAFKA_BROKERS === undefined ? [] : [describeKafka({ brokers: KAFKA_BROKERS, prefix }, topology)]),
  ];
}
