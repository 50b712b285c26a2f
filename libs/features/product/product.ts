import { z } from 'zod';
import { storableText } from '@app/contracts';

/** Identifies a product within its tenant. */
export const sku = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
    error: 'expected 1 to 64 letters, digits, dots, dashes or underscores, the first a letter or a digit',
  })
  .describe('Identifies the product, such as `mug-01`.');

export const productFields = z.strictObject({
  name: storableText.min(1).max(200),
  description: storableText.max(5_000),
  priceCents: z.int32().min(0).describe('In hundredths of the currency.'),
});

/** Rises by one with each change; the first version is 1. */
export const productVersion = z.int32().min(1);
