import { type Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { JobDefinition, JobOptions, PayloadOf } from '@app/contracts';
import {
  BrokerRoutes,
  Bus,
  JobsService,
  Leases,
  MemoryDriver,
  MessagingEvents,
  topologyOf,
  WorkerRuntime,
  type JobContext,
  type JobOf,
  type MessagingEventMap,
  type Outcome,
  type RegisteredHandler,
} from '@app/messaging';
import {
  createLedgerPool,
  createPrismaClient,
  OutboxWakeUp,
  readJob,
  workerPool,
  type JobRecord,
} from '@app/persistence';
import { Relay } from '../../apps/relay/src/relay';
import { freshDatabase } from './postgres';

export const tenant = 'test';

export interface CoreOptions {
  readonly leaseMs?: number;
  readonly heartbeatMs?: number;
  readonly sweepMs?: number;
  readonly reconcileMs?: number;
  readonly forgottenAfterMs?: number;
  readonly graceMs?: number;
  /** Without a relay nothing is published by itself. */
  readonly relay?: boolean;
}

export type TestHandler = (job: JobOf<JobDefinition>, context: JobContext) => Promise<Outcome>;

/** The whole core in one process: real PostgreSQL, the memory driver in the broker's place. */
export interface Core {
  readonly pool: Pool;
  readonly databaseUrl: string;
  readonly driver: MemoryDriver;
  readonly events: MessagingEvents;
  readonly worker: WorkerRuntime;
  readonly jobs: JobsService;
  enqueue<D extends JobDefinition>(definition: D, payload: PayloadOf<D>, options?: JobOptions): Promise<string>;
  read(id: string): Promise<JobRecord>;
  /** The next event of this name, which has not happened yet, that the filter lets through. */
  next<Name extends keyof MessagingEventMap>(
    name: Name,
    filter?: (...args: MessagingEventMap[Name]) => boolean,
  ): Promise<MessagingEventMap[Name]>;
  close(): Promise<void>;
}

export async function startCore(
  handlers: readonly (readonly [JobDefinition, TestHandler])[],
  options: CoreOptions = {},
): Promise<Core> {
  const database = await freshDatabase();
  const pool = createLedgerPool(database.url, 'test', workerPool);
  const prisma = createPrismaClient(pool);
  const events = new MessagingEvents();
  const wakeUp = new OutboxWakeUp(pool);
  const definitions = handlers.map(([definition]) => definition);
  const driver = new MemoryDriver(topologyOf(definitions));
  const leases = new Leases(pool, events, {
    leaseMs: options.leaseMs ?? 2_000,
    heartbeatMs: options.heartbeatMs ?? 200,
  });
  const registered = new Map<string, RegisteredHandler>(
    handlers.map(([definition, handle]) => [definition.kind, { definition, handler: { handle } as never }]),
  );
  const bus = new Bus(
    [driver],
    definitions,
    { resolve: () => registered } as never,
    { pool, prisma, events, wakeUp, leases },
    { leaseMs: options.leaseMs ?? 2_000 },
  );
  const worker = new WorkerRuntime(bus, leases, [driver], events, options.graceMs ?? 30_000);
  const relay = new Relay(pool, [driver], wakeUp, events, {
    databaseUrl: database.url,
    queues: topologyOf(definitions).map(({ queue }) => queue),
    leaseMs: options.leaseMs ?? 2_000,
    sweepMs: options.sweepMs ?? 100,
    reconcileMs: options.reconcileMs ?? 100,
    forgottenAfterMs: options.forgottenAfterMs ?? 60_000,
  });
  const jobs = new JobsService(pool, wakeUp, new BrokerRoutes(['memory']), events);
  if (options.relay !== false) await relay.start();
  await worker.start();

  return {
    pool,
    databaseUrl: database.url,
    driver,
    events,
    worker,
    jobs,
    enqueue: async (definition, payload, jobOptions) =>
      (await jobs.enqueue(definition, payload, { tenant, options: jobOptions })).id,
    read: async (id) => (await readJob(pool, tenant, id))!,
    next: (name, filter = () => true) =>
      new Promise((resolve) => {
        const listener = (...args: never[]): void => {
          if (!filter(...(args as never))) return;
          events.off(name, listener as never);
          resolve(args as never);
        };
        events.on(name, listener as never);
      }),
    close: async () => {
      await worker.drain();
      if (options.relay !== false) await relay.stop();
      await pool.end();
      await database.drop();
    },
  };
}

let kinds = 0;

/** A name that no other test uses. */
export function uniqueName(): string {
  return `t${(kinds += 1)}-${uuidv7().slice(-6)}`;
}
