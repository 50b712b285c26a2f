import { Module, type DynamicModule } from '@nestjs/common';
import { Pool } from 'pg';
import { BrokerRoutes } from '@app/configuration';
import { eventDefinitions, jobDefinitions } from '@app/features/catalogue';
import {
  configuredDrivers,
  directUrl,
  DRIVERS,
  JobsService,
  MessagingSignals,
  ProducerModule,
  queuesOf,
  type BrokerPublisher,
} from '@app/messaging';
import { Relay } from '@app/messaging/relay';
import { loggingModule, observers } from '@app/observability';
import { OutboxWakeUp, relayPool } from '@app/ledger';
import { DatabaseModule } from '@app/database';
import type { RelaySettings } from './config';
import { retentionOf } from './retention';
import { schedulesOf } from './schedules';

@Module({})
export class RelayModule {
  static forRoot(settings: RelaySettings): DynamicModule {
    const topology = { queues: queuesOf(jobDefinitions), events: eventDefinitions };
    const drivers = configuredDrivers(settings, 'relay', topology, 'publish');
    return {
      module: RelayModule,
      imports: [
        loggingModule({ application: 'relay', level: settings.LOG_LEVEL, format: settings.LOG_FORMAT }),
        DatabaseModule.forRoot({
          databaseUrl: settings.DATABASE_URL,
          application: 'relay',
          pool: relayPool,
        }),
        ProducerModule.forRoot(settings, jobDefinitions),
        ...drivers.imports,
      ],
      providers: [
        drivers.provider,
        ...observers(settings),
        {
          provide: Relay,
          inject: [Pool, DRIVERS, OutboxWakeUp, JobsService, MessagingSignals, BrokerRoutes],
          useFactory: (
            pool: Pool,
            brokers: BrokerPublisher[],
            wakeUp: OutboxWakeUp,
            jobs: JobsService,
            signals: MessagingSignals,
            routes: BrokerRoutes,
          ) =>
            new Relay(pool, brokers, wakeUp, jobs, signals, {
              databaseUrl: directUrl(settings),
              queues: topology.queues.map(({ queue }) => queue),
              eventsOf: (broker) =>
                eventDefinitions.filter((event) => routes.brokerOf(event) === broker).map(({ kind }) => kind),
              schedules: schedulesOf(settings),
              leaseMs: settings.LEASE_MS,
              sweepMs: settings.SWEEP_MS,
              reconcileMs: settings.RECONCILE_MS,
              forgottenAfterMs: settings.FORGOTTEN_AFTER_MS,
              retention: retentionOf(settings),
            }),
        },
      ],
    };
  }
}
