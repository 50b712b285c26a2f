import type { productChanged, ChangedProduct } from '@app/features/product';
import type { EventOf } from '@app/messaging';

export function productOf(event: EventOf<typeof productChanged>): ChangedProduct {
  const { sku, name, description, priceCents, version, updatedAt } = event.data;
  return { sku, name, description, priceCents, version, updatedAt: new Date(updatedAt), tenant: tenantOf(event) };
}

/** @throws Error for an event of another service that does not name a tenant */
export function tenantOf({ id, tenant }: EventOf<typeof productChanged>): string {
  if (tenant === undefined) throw new Error(`Expected the attribute "tenant", which event ${id} does not have.`);
  return tenant;
}
