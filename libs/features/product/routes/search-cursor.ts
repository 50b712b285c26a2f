import { z } from 'zod';
import { storableText } from '@app/contracts';
import type { SearchPosition } from '@app/features/product';

const position = z.tuple([z.number(), storableText.min(1).max(64)]);

/** Encodes the end of a page as text. Callers send it back unchanged. */
export function cursorOf({ rank, sku }: SearchPosition): string {
  return Buffer.from(JSON.stringify([rank, sku])).toString('base64url');
}

export const searchCursor = z
  .string()
  .max(200)
  .transform((text, context): SearchPosition => {
    try {
      const [rank, sku] = position.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
      return { rank, sku };
    } catch {
      context.addIssue({ code: 'custom', message: 'expected `nextCursor` of the previous page, unchanged' });
      return z.NEVER;
    }
  });
