/** The characters that begin a formula, in ASCII and in the wide and small forms of East Asian input methods. */
const formula = '=+\\-@＝＋－＠﹦﹢﹣﹫';

/** Spreadsheets ignore these characters at the beginning of a cell. */
const skipped = `(?:[^\\S\\t\\r\\n]|[\\p{Cf}"'‘’“”])*`;

/**
 * The places where a cell may begin: the beginning of the text, and after a `;`, a tab or a line break inside it. A
 * spreadsheet whose separator is not the comma does not see the quotes around our text.
 */
const cellThatRuns = new RegExp(`(^|[;\\t\\r\\n])(?=${skipped}[${formula}])`, 'gu');
const beginsWithControl = /^(?=[\t\r\n])/;

/**
 * @returns a text that no spreadsheet runs as a formula: an apostrophe precedes what would begin one
 *   (https://owasp.org/www-community/attacks/CSV_Injection)
 */
export function harmless(text: string): string {
  return text.replace(cellThatRuns, "$1'").replace(beginsWithControl, "'");
}
