import { z } from 'zod';

const uuid = z.uuid();

/** Check an id before a query: PostgreSQL fails when it compares a uuid column with other text. */
export function isUuid(text: string): boolean {
  return uuid.safeParse(text).success;
}
