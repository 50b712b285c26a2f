import { productChanged, writeToSearchModel } from '@app/features/product';
import { EventHandler, type EventOf, type HandlesEvents } from '@app/messaging';
import { type Prisma } from '@app/database';
import { productOf } from './changed-product';

export const search = { event: productChanged, subscriber: 'search' } as const;

/** Updates the search model with every change of a product. */
@EventHandler(search)
export class SearchHandler implements HandlesEvents<typeof productChanged> {
  async handle(events: readonly EventOf<typeof productChanged>[], tx: Prisma.TransactionClient): Promise<void> {
    await writeToSearchModel(tx, events.map(productOf));
  }
}
