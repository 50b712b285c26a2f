/**
 * Characters that no report format can hold: control characters except tab, LF and CR, and the noncharacters of XML
 * 1.0.
 */
// eslint-disable-next-line no-control-regex
const unwritable = /[\0-\x08\x0B\x0C\x0E-\x1F\x7F\uFFFE\uFFFF]/g;

/**
 * Makes a text that every format can hold: XML 1.0 (https://www.w3.org/TR/xml/#charsets), CSV and PDF.
 * @returns the text; U+FFFD replaces each character that cannot be written, and each half of a surrogate pair
 */
export function writable(text: string): string {
  return text.toWellFormed().replace(unwritable, '\uFFFD');
}

/**
 * @returns ISO 8601. PostgreSQL also has moments that a Date cannot hold, such as `infinity`; pg returns a number for
 *   them
 */
export function isoOf(moment: Date): string {
  return moment instanceof Date && !Number.isNaN(moment.getTime()) ? moment.toISOString() : String(moment);
}
