import { z } from 'zod';

const uuid = z.uuid();

/** Before it is looked up: PostgreSQL refuses a comparison of an id with anything else. */
export function isUuid(text: string): boolean {
  return uuid.safeParse(text).success;
}
