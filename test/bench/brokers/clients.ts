import type { ConnectBroker } from './bench-broker';
import { connectBullmq } from './bullmq';
import { connectKafka } from './kafka';
import { connectRabbitmq } from './rabbitmq';

export const driverNames = ['bullmq-postgres', 'bullmq-redis', 'rabbitmq', 'kafka'] as const;

export type DriverName = (typeof driverNames)[number];

/** The client of each broker, without the library. */
export const clients: Readonly<Record<DriverName, ConnectBroker>> = {
  'bullmq-postgres': connectBullmq,
  'bullmq-redis': connectBullmq,
  rabbitmq: connectRabbitmq,
  kafka: connectKafka,
};
