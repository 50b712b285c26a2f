import { z } from 'zod';

/**
 * Text that every store on a job's path can hold: PostgreSQL's jsonb takes neither U+0000 nor half of a
 * surrogate pair (https://www.postgresql.org/docs/current/datatype-json.html).
 */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** Text from anywhere, made storable and cut to at most 2,000 characters. */
export function toStorable(text: string): string {
  return text.replaceAll('\0', '').slice(0, 2_000).toWellFormed();
}

export const storableText = z.string().refine(isStorable, {
  error: 'must be well-formed Unicode without NUL characters',
  params: { rule: 'well_formed' },
});

/** Storable, and without control characters. */
export function isOneLine(text: string): boolean {
  return isStorable(text) && !/\p{Cc}/u.test(text);
}

export const oneLineExpected = {
  error: 'must be one line: CR, LF and other control characters are not allowed',
  params: { rule: 'one_line' },
};

/** One line for a header field. CR or LF would let a caller add header fields of his own (CWE-93). */
export const headerText = storableText.refine(isOneLine, oneLineExpected);
