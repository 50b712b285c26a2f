import { Pool } from 'pg';
import { DatabaseModule, type Prisma } from '@app/database';
import { openGenerationOfAll, productChanged, writeToGeneration } from '@app/features/product';
import { EventHandler, type EventOf, type HandlesEvents } from '@app/messaging';
import type { WorkerApp } from '@app/observability';
import { productOf } from './search.handler';

/** The generation that a replay fills. */
class ReplayedGeneration {
  constructor(readonly id: bigint) {}
}

/**
 * A worker that only handles all past and new events, under a new subscriber name.
 * @param subscriber a new name, such as `search@2`: it begins at the first event that the broker still has
 */
export function replayWorker(subscriber: string): WorkerApp {
  const event = { ...productChanged, subscribers: [...productChanged.subscribers, subscriber] };
  const subscription = { event, subscriber };

  @EventHandler(subscription)
  class ReplayHandler implements HandlesEvents<typeof productChanged> {
    constructor(private readonly generation: ReplayedGeneration) {}

    async handle(events: readonly EventOf<typeof productChanged>[], tx: Prisma.TransactionClient): Promise<void> {
      await writeToGeneration(tx, events.map(productOf), this.generation.id);
    }
  }

  return {
    application: 'sync-replay',
    database: DatabaseModule,
    jobs: [],
    subscriptions: [subscription],
    providers: [
      ReplayHandler,
      {
        provide: ReplayedGeneration,
        inject: [Pool],
        useFactory: async (pool: Pool) => new ReplayedGeneration(await openGenerationOfAll(pool, subscriber)),
      },
    ],
  };
}
