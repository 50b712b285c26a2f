import type { Type } from '@nestjs/common';
import { productChanged, writeToGeneration } from '@app/features/product';
import { EventHandler, type EventOf, type EventSubscription, type HandlesEvents } from '@app/messaging';
import { type Prisma } from '@app/database';
import { productOf } from './changed-product';

/** The generation that a replay fills. */
export class ReplayedGeneration {
  constructor(readonly id: bigint) {}
}

interface Replay {
  readonly subscription: EventSubscription<typeof productChanged>;
  readonly handler: Type<HandlesEvents<typeof productChanged>>;
}

/** @param subscriber a new name, such as `search@2`: it begins at the first event that the broker still has */
export function replayOf(subscriber: string): Replay {
  const event = { ...productChanged, subscribers: [...productChanged.subscribers, subscriber] };
  const subscription = { event, subscriber };

  @EventHandler(subscription)
  class ReplayHandler implements HandlesEvents<typeof productChanged> {
    constructor(private readonly generation: ReplayedGeneration) {}

    async handle(events: readonly EventOf<typeof productChanged>[], tx: Prisma.TransactionClient): Promise<void> {
      await writeToGeneration(tx, events.map(productOf), this.generation.id);
    }
  }

  return { subscription, handler: ReplayHandler };
}
