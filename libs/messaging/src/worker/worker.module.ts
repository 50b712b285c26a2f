import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Pool } from 'pg';
import type { Settings, workerSettingNames } from '@app/configuration';
import type { JobDefinition } from '@app/contracts';
import {
  connectionsOfProcess,
  createLedgerPool,
  OutboxWakeUp,
  Transactions,
  workerPool,
  type PoolSettings,
} from '@app/ledger';
import { EventRegistry } from './events/event-registry';
import { configuredDrivers, DRIVERS } from '../drivers/configured-drivers';
import { HandlerRegistry } from './handlers/handler-registry';
import { Leases } from './leases';
import { MessagingSignals } from '../messaging-signals';
import type { BrokerConsumer, EventSubscription } from '../port/consumer';
import { eventsOf, queuesOf } from '../port/topology';
import { Worker } from './worker';

export type WorkerSettings = Pick<Settings, (typeof workerSettingNames)[number]>;

export interface WorkerModuleOptions {
  /** Names the process in logs, in PostgreSQL and at the brokers. */
  readonly application: string;
  readonly settings: WorkerSettings;
  /** The module of the process's pool. It provides `Pool`, `Transactions` and `OutboxWakeUp` globally. */
  readonly database: {
    forRoot(settings: {
      databaseUrl: string;
      application: string;
      pool: PoolSettings;
      connections: number;
    }): DynamicModule;
  };
  /** How many apps share the process's pool, which grows with them; 1 by default. */
  readonly apps?: number;
  /** The kinds of jobs that the process runs. It must have one `@JobHandler` for each. */
  readonly jobs: readonly JobDefinition[];
  /** The events that the process subscribes to. It must have one `@EventHandler` for each. */
  readonly subscriptions?: readonly EventSubscription[];
}

/** For a process that runs jobs: the database, the drivers, the heartbeat of its leases, and the worker. */
@Module({})
export class WorkerMessagingModule {
  static forRoot({
    application,
    settings,
    database,
    apps = 1,
    jobs,
    subscriptions = [],
  }: WorkerModuleOptions): DynamicModule {
    const topology = { queues: queuesOf(jobs), events: eventsOf(subscriptions) };
    const drivers = configuredDrivers(settings, application, topology, 'consume');
    const {
      DATABASE_URL: databaseUrl,
      LEASE_MS: leaseMs,
      HEARTBEAT_MS: heartbeatMs,
      SHUTDOWN_GRACE_MS: graceMs,
    } = settings;
    return {
      module: WorkerMessagingModule,
      imports: [
        DiscoveryModule,
        database.forRoot({ databaseUrl, application, pool: workerPool, connections: apps * connectionsOfProcess }),
        ...drivers.imports,
      ],
      providers: [
        drivers.provider,
        HandlerRegistry,
        EventRegistry,
        MessagingSignals,
        {
          provide: Worker,
          inject: [DRIVERS, HandlerRegistry, EventRegistry, Pool, Transactions, OutboxWakeUp, MessagingSignals],
          useFactory: (
            brokerDrivers: readonly BrokerConsumer[],
            jobHandlers: HandlerRegistry,
            eventHandlers: EventRegistry,
            pool: Pool,
            transactions: Transactions,
            wakeUp: OutboxWakeUp,
            signals: MessagingSignals,
          ) => {
            const heartbeatPool = createLedgerPool(settings.DATABASE_URL, `${application} heartbeat`, workerPool, 1);
            const leases = new Leases(pool, heartbeatPool, wakeUp, signals, { leaseMs, heartbeatMs });
            return new Worker(
              { drivers: brokerDrivers, jobs, subscriptions, leaseMs, graceMs },
              { jobs: jobHandlers, events: eventHandlers },
              { pool, transactions, wakeUp, signals, leases },
            );
          },
        },
      ],
      exports: [Worker, MessagingSignals],
    };
  }
}
