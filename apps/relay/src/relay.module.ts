import { Module, type DynamicModule } from '@nestjs/common';
import { Pool } from 'pg';
import { jobDefinitions } from '@app/contracts';
import { configuredDrivers, DRIVERS, MessagingEvents, topologyOf, type BrokerDriver } from '@app/messaging';
import { loggingModule, observers } from '@app/observability';
import { OutboxWakeUp, PersistenceModule, workerPool } from '@app/persistence';
import type { RelaySettings } from './config';
import { Relay } from './relay';

@Module({})
export class RelayModule {
  static with(settings: RelaySettings): DynamicModule {
    const drivers = configuredDrivers(settings, 'relay', jobDefinitions, 'publish');
    return {
      module: RelayModule,
      imports: [
        loggingModule({ application: 'relay', level: settings.LOG_LEVEL, format: settings.LOG_FORMAT }),
        PersistenceModule.forRoot({
          databaseUrl: settings.DATABASE_URL,
          application: 'relay',
          pool: workerPool,
        }),
        ...drivers.imports,
      ],
      providers: [
        drivers.provider,
        MessagingEvents,
        ...observers(settings),
        {
          provide: Relay,
          inject: [Pool, DRIVERS, OutboxWakeUp, MessagingEvents],
          useFactory: (pool: Pool, brokers: BrokerDriver[], wakeUp: OutboxWakeUp, events: MessagingEvents) =>
            new Relay(pool, brokers, wakeUp, events, {
              databaseUrl: settings.DATABASE_URL,
              queues: topologyOf(jobDefinitions).map(({ queue }) => queue),
              leaseMs: settings.LEASE_MS,
              sweepMs: settings.SWEEP_MS,
              reconcileMs: settings.RECONCILE_MS,
              forgottenAfterMs: settings.FORGOTTEN_AFTER_MS,
            }),
        },
      ],
    };
  }
}
