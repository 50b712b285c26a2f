import { z } from 'zod';
import { productFields, productVersion, sku } from '@app/features/product';
import type { ProductRecord } from '@app/features/product';

export const productView = productFields.extend({ sku, version: productVersion, updatedAt: z.iso.datetime() });

export type ProductView = z.output<typeof productView>;

export function viewOfProduct(product: ProductRecord): ProductView {
  const { name, description, priceCents, version, updatedAt } = product;
  return { sku: product.sku, name, description, priceCents, version, updatedAt: updatedAt.toISOString() };
}
