import { z } from 'zod';

/** Makes any text storable, and cuts it to at most 2,000 characters. */
export function toStorable(text: string): string {
  return text.replaceAll('\0', '').slice(0, 2_000).toWellFormed();
}

/** Neither control characters nor half of a surrogate pair. */
const oneLine = z.refine<string>((text) => !/[\p{Cc}\p{Cs}]/u.test(text), {
  error: 'must be one line: CR, LF and other control characters are not allowed',
  params: { rule: 'one_line' },
});

/**
 * Text that every store of a job can hold: PostgreSQL's jsonb accepts neither U+0000 nor half of a surrogate pair
 * (https://www.postgresql.org/docs/current/datatype-json.html).
 */
export const storableText = z.string().refine((text) => !text.includes('\0') && text.isWellFormed(), {
  error: 'must be well-formed Unicode without NUL characters',
  params: { rule: 'well_formed' },
});

/** One line for a header field. With CR or LF a caller could add header fields of its own (CWE-93). */
export const headerText = storableText.check(oneLine);

/** An address for a person to follow. */
export const webLink = z.url({ protocol: /^https?$/ }).check(oneLine);
