import type { BrokerName, JobDefinition } from '@app/contracts';
import type { Settings } from '@app/configuration';
import type { DynamicModule, FactoryProvider } from '@nestjs/common';
import { topologyOf, type BrokerDriver } from '../port/broker-driver';
import type { Capabilities } from '../port/capabilities';
import { BullmqDriverModule } from './bullmq/bullmq.module';
import { BullmqDriver, bullmqCapabilities } from './bullmq/bullmq-driver';
import { memoryCapabilities } from './memory/memory-driver';

/** What a process has to read to reach the brokers of its system. */
export const brokerSettingNames = [
  'DATABASE_URL',
  'REDIS_URL',
  'BULLMQ_PREFIX',
  'RABBITMQ_URL',
  'KAFKA_BROKERS',
  'BROKER_PREFIX',
  'LEASE_MS',
  'JOB_BROKERS',
] as const;

export type BrokerSettings = Pick<Settings, (typeof brokerSettingNames)[number]>;

/** Injection token of the drivers of this process: `readonly BrokerDriver[]`. */
export const DRIVERS = Symbol('DRIVERS');

/** What each broker can do, for whoever does not talk to it. */
export const brokerCapabilities: Readonly<Partial<Record<BrokerName, Capabilities>>> = {
  bullmq: bullmqCapabilities,
  memory: memoryCapabilities,
};

/** The modules of the configured drivers, and the provider that gathers them under `DRIVERS`. */
export function configuredDrivers(
  settings: BrokerSettings,
  application: string,
  definitions: readonly JobDefinition[],
  use: 'consume' | 'publish',
): { imports: DynamicModule[]; provider: FactoryProvider<readonly BrokerDriver[]> } {
  const bullmq = {
    redisUrl: settings.REDIS_URL,
    databaseUrl: settings.DATABASE_URL,
    prefix: settings.BULLMQ_PREFIX,
    leaseMs: settings.LEASE_MS,
  };
  return {
    imports: [BullmqDriverModule.register(bullmq, application, topologyOf(definitions), use)],
    provider: { provide: DRIVERS, inject: [BullmqDriver], useFactory: (...drivers: BrokerDriver[]) => drivers },
  };
}
