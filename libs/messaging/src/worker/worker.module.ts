import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Pool } from 'pg';
import type { Settings } from '@app/configuration';
import type { JobDefinition } from '@app/contracts';
import { createLedgerPool, OutboxWakeUp, PrismaClient, workerPool } from '@app/persistence';
import { Bus } from '../bus';
import type { EventSubscription } from '../events/event-handler';
import { EventRegistry } from '../events/event-registry';
import { brokerSettingNames, configuredDrivers, DRIVERS } from '../drivers/configured-drivers';
import { HandlerRegistry } from '../handlers/handler-registry';
import { Leases } from '../leases';
import { MessagingSignals } from '../messaging-signals';
import type { BrokerDriver } from '../port/broker-driver';
import { eventsOf, queuesOf } from '../port/topology';
import { WorkerRuntime } from './worker-runtime';

/** The settings that every worker reads. */
export const workerSettingNames = [
  ...brokerSettingNames,
  'HEARTBEAT_MS',
  'SHUTDOWN_GRACE_MS',
  'LOG_LEVEL',
  'LOG_FORMAT',
  'FAIL_POINT',
] as const;

export type WorkerSettings = Pick<Settings, (typeof workerSettingNames)[number]>;

/** For a process that runs jobs: the drivers, the bus with its pipeline, and the start and drain of the worker. */
@Module({})
export class WorkerMessagingModule {
  /**
   * @param serves the definitions whose jobs this process runs; it must have a `@JobHandler` for each
   * @param hears the events that it subscribes to; it must have an `@EventHandler` for each
   */
  static register(
    application: string,
    serves: readonly JobDefinition[],
    settings: WorkerSettings,
    hears: readonly EventSubscription[] = [],
  ): DynamicModule {
    const topology = { queues: queuesOf(serves), events: eventsOf(hears) };
    const drivers = configuredDrivers(settings, application, topology, 'consume');
    const leases = { leaseMs: settings.LEASE_MS, heartbeatMs: settings.HEARTBEAT_MS };
    return {
      module: WorkerMessagingModule,
      imports: [DiscoveryModule, ...drivers.imports],
      providers: [
        drivers.provider,
        HandlerRegistry,
        EventRegistry,
        MessagingSignals,
        {
          provide: Leases,
          inject: [Pool, OutboxWakeUp, MessagingSignals],
          useFactory: (pool: Pool, wakeUp: OutboxWakeUp, signals: MessagingSignals) =>
            new Leases(
              pool,
              createLedgerPool(settings.DATABASE_URL, `${application} heartbeat`, workerPool, 1),
              wakeUp,
              signals,
              leases,
            ),
        },
        {
          provide: WorkerRuntime,
          inject: [DRIVERS, HandlerRegistry, EventRegistry, Pool, PrismaClient, OutboxWakeUp, MessagingSignals, Leases],
          useFactory: (
            brokerDrivers: readonly BrokerDriver[],
            jobs: HandlerRegistry,
            events: EventRegistry,
            pool: Pool,
            prisma: PrismaClient,
            wakeUp: OutboxWakeUp,
            signals: MessagingSignals,
            held: Leases,
          ) => {
            const parts = { pool, prisma, wakeUp, signals, leases: held };
            const bus = new Bus(brokerDrivers, { jobs: serves, events: hears }, { jobs, events }, parts, leases);
            return new WorkerRuntime(bus, held, brokerDrivers, signals, settings.SHUTDOWN_GRACE_MS);
          },
        },
      ],
      exports: [WorkerRuntime, MessagingSignals],
    };
  }
}
