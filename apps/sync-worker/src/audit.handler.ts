import { productChanged } from '@app/features/product';
import { EventHandler, type EventOf, type HandlesEvents } from '@app/messaging';
import { type Prisma } from '@app/database';
import { tenantOf } from './search.handler';

export const audit = { event: productChanged, subscriber: 'audit' } as const;

/** Stores a row for each change, in the transaction of the events, which passes each event once. */
@EventHandler(audit)
export class AuditHandler implements HandlesEvents<typeof productChanged> {
  async handle(events: readonly EventOf<typeof productChanged>[], tx: Prisma.TransactionClient): Promise<void> {
    const entries = events.map((event) => {
      const { sku, version, name, priceCents, changedBy, updatedAt } = event.data;
      const changedAt = new Date(updatedAt);
      return { eventId: event.id, tenant: tenantOf(event), sku, version, name, priceCents, changedBy, changedAt };
    });
    await tx.productAudit.createMany({ data: entries });
  }
}
