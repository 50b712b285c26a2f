import { BrokerRoutes } from '@app/configuration';
import { type Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { JobDefinition, JobOptions, PayloadOf, ScheduleDefinition } from '@app/contracts';
import {
  JobsService,
  Leases,
  MessagingSignals,
  eventsOf,
  queuesOf,
  Worker,
  type BrokerDriver,
  type JobContext,
  type JobOf,
  type MessagingSignalMap,
  type Outcome,
  type RegisteredEventHandler,
  type RegisteredHandler,
} from '@app/messaging';
import { createLedgerPool, OutboxWakeUp, readJob, workerPool, type JobRecord } from '@app/ledger';
import { createPrismaClient, type PrismaClient, type Prisma } from '@app/database';
import { TestClock } from '@app/testing';
import { Relay } from '../../libs/messaging/src/relay/relay';
import { MemoryBroker, type BrokerUnderTest, type Harness } from './broker-under-test';
import { leakGuard } from './leaks';
import { freshDatabase } from './postgres';

export const tenant = 'test';

export interface CoreOptions {
  /** Default: the memory driver. */
  readonly harness?: Pick<Harness, 'start'>;
  readonly leaseMs?: number;
  readonly heartbeatMs?: number;
  readonly sweepMs?: number;
  readonly reconcileMs?: number;
  readonly forgottenAfterMs?: number;
  readonly graceMs?: number;
  readonly schedules?: readonly ScheduleDefinition[];
  readonly events?: readonly RegisteredEventHandler[];
  /** Time passes when the test says so. */
  readonly clock?: boolean;
  /** Without a relay nothing is published by itself. */
  readonly relay?: boolean;
  /** Without a worker nothing is taken by itself. */
  readonly worker?: boolean;
}

export type TestHandler = (
  job: JobOf<JobDefinition>,
  context: JobContext<Prisma.TransactionClient>,
) => Promise<Outcome>;

/** The whole core in one process: real PostgreSQL, and a broker. */
export interface Core {
  readonly pool: Pool;
  readonly prisma: PrismaClient;
  readonly databaseUrl: string;
  readonly broker: BrokerUnderTest;
  /** The relay's. */
  readonly driver: BrokerDriver;
  readonly signals: MessagingSignals;
  readonly worker: Worker;
  readonly jobs: JobsService;
  readonly clock: TestClock | undefined;
  readonly wakeUp: OutboxWakeUp;
  enqueue<D extends JobDefinition>(definition: D, payload: PayloadOf<D>, options?: JobOptions): Promise<string>;
  read(id: string): Promise<JobRecord>;
  /** The next event of this name, which has not happened yet, that the filter lets through. */
  next<Name extends keyof MessagingSignalMap>(
    name: Name,
    filter?: (...args: MessagingSignalMap[Name]) => boolean,
  ): Promise<MessagingSignalMap[Name]>;
  /** One more worker, as another process would be. */
  startWorker(events?: readonly RegisteredEventHandler[]): Promise<Worker>;
  close(): Promise<void>;
}

export async function startCore(
  handlers: readonly (readonly [JobDefinition, TestHandler])[],
  options: CoreOptions = {},
): Promise<Core> {
  const assertNothingLeft = leakGuard();
  const { leaseMs = 2_000, heartbeatMs = 200, graceMs = 30_000 } = options;
  const database = await freshDatabase();
  const clock = options.clock ? await TestClock.install(database.url) : undefined;
  const pool = createLedgerPool(database.url, 'test', workerPool);
  const prisma = createPrismaClient(pool);
  const signals = new MessagingSignals();
  const wakeUp = new OutboxWakeUp(pool);
  const definitions = handlers.map(([definition]) => definition);
  const hears = options.events ?? [];
  const topologyOf = (heard: readonly RegisteredEventHandler[]) => ({
    queues: queuesOf(definitions),
    events: eventsOf(heard.map(({ subscription }) => subscription)),
  });
  const topology = topologyOf(hears);
  const broker = await (options.harness?.start(database.url) ?? new MemoryBroker());
  const driver = await broker.connect('publish', topology);
  const jobs = new JobsService(pool, wakeUp, new BrokerRoutes([driver.name], definitions), signals);
  const relay = new Relay(pool, [driver], wakeUp, jobs, signals, {
    databaseUrl: database.url,
    queues: topology.queues.map(({ queue }) => queue),
    eventsOf: () => topology.events.map(({ kind }) => kind),
    schedules: options.schedules ?? [],
    leaseMs,
    sweepMs: options.sweepMs ?? 100,
    reconcileMs: options.reconcileMs ?? 100,
    forgottenAfterMs: options.forgottenAfterMs ?? 60_000,
  });

  const workers: Worker[] = [];
  const newWorker = async (heard = hears): Promise<Worker> => {
    const registered = new Map<string, RegisteredHandler>(
      handlers.map(([definition, handle]) => [definition.kind, { definition, handler: { handle } as never }]),
    );
    const workerDriver = await broker.connect('consume', topologyOf(heard));
    const leases = new Leases(pool, createLedgerPool(database.url, 'test heartbeat', workerPool, 1), wakeUp, signals, {
      leaseMs,
      heartbeatMs,
    });
    const subscriptions = heard.map(({ subscription }) => subscription);
    const worker = new Worker(
      { drivers: [workerDriver], jobs: definitions, subscriptions, leaseMs, graceMs },
      { jobs: { resolve: () => registered }, events: { resolve: () => [...heard] } },
      { pool, transactions: prisma, signals, wakeUp, leases },
    );
    workers.push(worker);
    return worker;
  };

  if (options.relay !== false) await relay.start();
  const worker = await newWorker();
  if (options.worker !== false) await worker.start();
  return {
    pool,
    prisma,
    databaseUrl: database.url,
    broker,
    driver,
    signals,
    worker,
    jobs,
    clock,
    wakeUp,
    enqueue: async (definition, payload, jobOptions) =>
      (await jobs.enqueue(definition, payload, { tenant, options: jobOptions })).id,
    read: async (id) => (await readJob(pool, tenant, id))!,
    next: (name, filter = () => true) =>
      new Promise((resolve) => {
        const listener = (...args: never[]): void => {
          if (!filter(...(args as never))) return;
          signals.off(name, listener as never);
          resolve(args as never);
        };
        signals.on(name, listener as never);
      }),
    startWorker: async (heard) => {
      const another = await newWorker(heard);
      await another.start();
      return another;
    },
    close: async () => {
      await Promise.all(workers.map((one) => one.drain()));
      if (options.relay !== false) await relay.stop();
      else await driver.close();
      await broker.close();
      await pool.end();
      await database.drop();
      await assertNothingLeft();
    },
  };
}

let kinds = 0;

/** A name that no other test uses. */
export function uniqueName(): string {
  return `t${(kinds += 1)}-${uuidv7().slice(-6)}`;
}
