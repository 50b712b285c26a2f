/** What begins a formula, in ASCII and in the wide and small forms that East Asian input methods write. */
const formula = '=+\\-@＝＋－＠﹦﹢﹣﹫';

/** Spreadsheets drop these before they look at what a cell begins with. */
const skipped = `(?:[^\\S\\t\\r\\n]|[\\p{Cf}"'‘’“”])*`;

/**
 * Where a cell may begin: at the beginning of the text; and behind a `;`, a tab or a line break inside it, for a
 * spreadsheet whose separator is not the comma does not see the quotes around our text.
 */
const cellThatRuns = new RegExp(`(^|[;\\t\\r\\n])(?=${skipped}[${formula}])`, 'gu');
const beginsWithControl = /^(?=[\t\r\n])/;

/**
 * A text that no spreadsheet runs as a formula: an apostrophe stands in front of what would begin one
 * (https://owasp.org/www-community/attacks/CSV_Injection).
 */
export function harmless(text: string): string {
  return text.replace(cellThatRuns, "$1'").replace(beginsWithControl, "'");
}
