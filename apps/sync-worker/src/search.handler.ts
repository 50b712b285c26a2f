import { productChanged, writeToSearchModel, type ChangedProduct } from '@app/features/product';
import { EventHandler, type EventOf, type HandlesEvents } from '@app/messaging';
import { type Prisma } from '@app/database';

export const search = { event: productChanged, subscriber: 'search' } as const;

/** Updates the search model with every change of a product. */
@EventHandler(search)
export class SearchHandler implements HandlesEvents<typeof productChanged> {
  async handle(events: readonly EventOf<typeof productChanged>[], tx: Prisma.TransactionClient): Promise<void> {
    await writeToSearchModel(tx, events.map(productOf));
  }
}

export function productOf(event: EventOf<typeof productChanged>): ChangedProduct {
  const { sku, name, description, priceCents, version, updatedAt } = event.data;
  return { sku, name, description, priceCents, version, updatedAt: new Date(updatedAt), tenant: tenantOf(event) };
}

/** @throws Error for an event of another service that does not name a tenant */
export function tenantOf({ id, tenant }: EventOf<typeof productChanged>): string {
  if (tenant === undefined) throw new Error(`Expected the attribute "tenant", which event ${id} does not have.`);
  return tenant;
}
