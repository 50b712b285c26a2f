import { z } from 'zod';
import { defineEvent } from '@app/contracts';
import { productFields, productVersion, sku } from './product';

/** A product has changed. The event holds the whole product, so that a subscriber needs no further request. */
export const productChanged = defineEvent({
  kind: 'product.changed',
  version: 1,
  broker: 'kafka',
  data: productFields.extend({
    sku,
    version: productVersion,
    updatedAt: z.iso.datetime({ offset: true }),
    changedBy: z.string().describe('The tenant and the roles of the key that was used.'),
  }),
  // Products of two tenants with the same SKU share a key. Their events are then ordered too, which does no harm.
  key: (data) => data.sku,
  subscribers: ['search', 'audit'],
});
