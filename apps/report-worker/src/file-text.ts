/** What no file format of ours can hold: control characters but tab, LF and CR, and the noncharacters of XML 1.0. */
// eslint-disable-next-line no-control-regex
const unwritable = /[\0-\x08\x0B\x0C\x0E-\x1F\x7F\uFFFE\uFFFF]/g;

/**
 * A text that every format can hold: XML 1.0 (https://www.w3.org/TR/xml/#charsets), CSV and PDF.
 * @returns the text; U+FFFD stands for each character that cannot be written, and for half of a surrogate pair
 */
export function writable(text: string): string {
  return text.toWellFormed().replace(unwritable, '\uFFFD');
}

/** @returns ISO 8601; PostgreSQL also has moments that no Date can hold, such as `infinity`, and gives a number */
export function isoOf(moment: Date): string {
  return moment instanceof Date && !Number.isNaN(moment.getTime()) ? moment.toISOString() : String(moment);
}
