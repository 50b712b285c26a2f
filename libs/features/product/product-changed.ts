import { z } from 'zod';
import { defineEvent } from '@app/contracts';
import { productFields, productVersion, sku } from './product';

/** A product is as it says here from now on. The whole product travels: who hears it has nothing to ask. */
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
  // Where two tenants have the same SKU, theirs come in one order too, which harms neither.
  key: (data) => data.sku,
  subscribers: ['search', 'audit'],
});
