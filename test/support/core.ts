import { v7 as uuidv7 } from 'uuid';
import type { JobDefinition } from '@app/contracts';
import type { JobContext, JobOf, MessagingSignalMap, Outcome } from '@app/messaging';
import type { Prisma } from '@app/database';
import { runCore, TestClock, type Core as RunningCore, type CoreOptions as RunCoreOptions } from '@app/testing';
import { MemoryBroker, type BrokerUnderTest, type Harness } from './broker-under-test';
import { leakGuard } from './leaks';
import { freshDatabase } from './postgres';

export { tenant } from '@app/testing';

export interface CoreOptions extends Omit<RunCoreOptions, 'databaseUrl' | 'jobs' | 'connect'> {
  /** Default: the memory driver. */
  readonly harness?: Pick<Harness, 'start'>;
  /** The test advances the time of the database. */
  readonly clock?: boolean;
}

export type TestHandler = (
  job: JobOf<JobDefinition>,
  context: JobContext<Prisma.TransactionClient>,
) => Promise<Outcome>;

/** The whole core in one process, with a real PostgreSQL and a broker. */
export interface Core extends RunningCore {
  readonly databaseUrl: string;
  readonly broker: BrokerUnderTest;
  readonly clock: TestClock | undefined;
  /** Waits for the next signal of this name that the filter accepts. */
  next<Name extends keyof MessagingSignalMap>(
    name: Name,
    filter?: (...args: MessagingSignalMap[Name]) => boolean,
  ): Promise<MessagingSignalMap[Name]>;
}

export async function startCore(
  handlers: readonly (readonly [JobDefinition, TestHandler])[],
  { harness, clock: hasClock, ...options }: CoreOptions = {},
): Promise<Core> {
  const assertNothingLeft = leakGuard();
  const database = await freshDatabase();
  const clock = hasClock ? await TestClock.install(database.url) : undefined;
  const broker = await (harness?.start(database.url) ?? new MemoryBroker());
  const core = await runCore({
    ...options,
    databaseUrl: database.url,
    jobs: handlers.map(([definition, handle]) => ({ definition, handler: { handle } as never })),
    connect: (topology, use) => broker.connect(use, topology),
  });
  return {
    ...core,
    databaseUrl: database.url,
    broker,
    clock,
    next: (name, filter = () => true) =>
      new Promise((resolve) => {
        const listener = (...args: never[]): void => {
          if (!filter(...(args as never))) return;
          core.signals.off(name, listener as never);
          resolve(args as never);
        };
        core.signals.on(name, listener as never);
      }),
    close: async () => {
      await core.close();
      await broker.close();
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
