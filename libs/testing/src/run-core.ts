import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import { BrokerRoutes } from '@app/configuration';
import {
  finalStates,
  type EventDefinition,
  type JobDefinition,
  type JobOptions,
  type PayloadOf,
  type ScheduleDefinition,
} from '@app/contracts';
import { createPrismaClient, type PrismaClient } from '@app/database';
import { createLedgerPool, type JobRecord, keepForever, OutboxWakeUp, readJob, relayPool } from '@app/ledger';
import {
  eventsOf,
  JobsService,
  Leases,
  MemoryDriver,
  MessagingSignals,
  queuesOf,
  Worker,
  type BrokerDriver,
  type BrokerTopology,
  type EventSubscription,
  type Handler,
  type HandlesEvents,
  type RegisteredEventHandler,
  type RegisteredHandler,
} from '@app/messaging';
import { Relay } from '@app/messaging/relay';

/** The tenant of all jobs that `Core.enqueue` enqueues. */
export const tenant = 'test';

export interface CoreOptions {
  /** A migrated database that no other relay uses. */
  readonly databaseUrl: string;
  readonly jobs?: readonly RegisteredHandler[];
  readonly events?: readonly RegisteredEventHandler[];
  readonly schedules?: readonly ScheduleDefinition[];
  /** Connects to a broker: once to publish, and once for each worker. Default: one memory driver for all. */
  readonly connect?: (topology: BrokerTopology, use: 'publish' | 'consume') => Promise<BrokerDriver>;
  readonly leaseMs?: number;
  readonly heartbeatMs?: number;
  readonly sweepMs?: number;
  readonly reconcileMs?: number;
  readonly forgottenAfterMs?: number;
  readonly graceMs?: number;
  /** Without a relay, nothing is published automatically. */
  readonly relay?: boolean;
  /** Without a worker, nothing is consumed automatically. */
  readonly worker?: boolean;
}

/** The whole core in one process: ledger, producer, relay and worker. */
export interface Core {
  readonly pool: Pool;
  readonly prisma: PrismaClient;
  readonly signals: MessagingSignals;
  readonly wakeUp: OutboxWakeUp;
  readonly jobs: JobsService;
  /** The driver of the relay. */
  readonly driver: BrokerDriver;
  readonly worker: Worker;
  /** @returns the id of the committed job */
  enqueue<D extends JobDefinition>(definition: D, payload: PayloadOf<D>, options?: JobOptions): Promise<string>;
  read(id: string): Promise<JobRecord>;
  /** Waits, without a limit, until the job is completed, failed or cancelled. */
  ended(id: string): Promise<JobRecord>;
  /** Starts one more worker, as another process would. */
  startWorker(events?: readonly RegisteredEventHandler[]): Promise<Worker>;
  /** Drains the workers, stops the relay and closes all connections. */
  close(): Promise<void>;
}

/** Registers a function for the jobs of a definition, as `@JobHandler` does with a class. */
export function onJob<D extends JobDefinition>(definition: D, handle: Handler<D>['handle']): RegisteredHandler {
  return { definition, handler: { handle } };
}

/** Registers a function for the events of a subscription, as `@EventHandler` does with a class. */
export function onEvent<E extends EventDefinition>(
  subscription: EventSubscription<E>,
  handle: HandlesEvents<E>['handle'],
): RegisteredEventHandler {
  return { subscription, handler: { handle } };
}

/**
 * Starts the whole core in one process. The apps of this repository start the same parts in processes of their own.
 * @throws ConfigurationError; the error of the first connection to the broker
 */
export async function runCore({
  databaseUrl,
  jobs: handlers = [],
  events = [],
  schedules = [],
  connect,
  leaseMs = 2_000,
  heartbeatMs = 200,
  sweepMs = 100,
  reconcileMs = 100,
  forgottenAfterMs = 60_000,
  graceMs = 30_000,
  relay: hasRelay = true,
  worker: hasWorker = true,
}: CoreOptions): Promise<Core> {
  const pool = createLedgerPool(databaseUrl, 'core', relayPool);
  const prisma = createPrismaClient(pool);
  const signals = new MessagingSignals();
  const wakeUp = new OutboxWakeUp(pool);
  const definitions = handlers.map(({ definition }) => definition);
  const topologyOf = (heard: readonly RegisteredEventHandler[]): BrokerTopology => ({
    queues: queuesOf(definitions),
    events: eventsOf(heard.map(({ subscription }) => subscription)),
  });
  const topology = topologyOf(events);
  let memory: MemoryDriver | undefined;
  const connectTo = connect ?? (() => Promise.resolve((memory ??= new MemoryDriver(topology))));

  const driver = await connectTo(topology, 'publish');
  const jobs = new JobsService(pool, wakeUp, new BrokerRoutes([driver.name], definitions), signals);
  const relay = new Relay(pool, [driver], wakeUp, jobs, signals, {
    databaseUrl,
    queues: topology.queues.map(({ queue }) => queue),
    eventsOf: () => topology.events.map(({ kind }) => kind),
    schedules,
    leaseMs,
    sweepMs,
    reconcileMs,
    forgottenAfterMs,
    retention: { walks: {}, ages: keepForever },
  });

  const workers: Worker[] = [];
  const newWorker = async (heard = events): Promise<Worker> => {
    const registered = new Map(handlers.map((handler) => [handler.definition.kind, handler]));
    const subscriptions = heard.map(({ subscription }) => subscription);
    const heartbeatPool = createLedgerPool(databaseUrl, 'core heartbeat', relayPool, 1);
    const worker = new Worker(
      { drivers: [await connectTo(topologyOf(heard), 'consume')], jobs: definitions, subscriptions, leaseMs, graceMs },
      { jobs: { resolve: () => registered }, events: { resolve: () => [...heard] } },
      {
        pool,
        transactions: prisma,
        signals,
        wakeUp,
        leases: new Leases(pool, heartbeatPool, wakeUp, signals, { leaseMs, heartbeatMs }),
      },
    );
    workers.push(worker);
    return worker;
  };

  if (hasRelay) await relay.start();
  const worker = await newWorker();
  if (hasWorker) await worker.start();

  const read = async (id: string): Promise<JobRecord> => (await readJob(pool, tenant, id))!;
  return {
    pool,
    prisma,
    signals,
    wakeUp,
    jobs,
    driver,
    worker,
    enqueue: async (definition, payload, options) => (await jobs.enqueue(definition, payload, { tenant, options })).id,
    read,
    ended: async (id) => {
      for (;;) {
        const job = await read(id);
        if (finalStates.some((state) => state === job.state)) return job;
        await delay(20);
      }
    },
    startWorker: async (heard) => {
      const another = await newWorker(heard);
      await another.start();
      return another;
    },
    close: async () => {
      await Promise.all(workers.map((one) => one.drain()));
      if (hasRelay) await relay.stop();
      else await driver.close();
      await pool.end();
    },
  };
}
