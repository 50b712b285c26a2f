import { writable } from '../file-text';

type Document = PDFKit.PDFDocument;

export const colors = { text: '#1f2933', faint: '#7b8794', rule: '#cbd2d9', bar: '#2f6fab' };

export interface Column<Row> {
  readonly title: string;
  /** Share of the whole width. */
  readonly width: number;
  readonly align?: 'right';
  readonly text: (row: Row) => string;
}

const rowHeight = 17;

/** Draws rows of one line each, and repeats the titles on every page. */
export function drawTable<Row>(document: Document, columns: readonly Column<Row>[], rows: readonly Row[]): void {
  const { left, right, bottom } = document.page.margins;
  const tableWidth = document.page.width - left - right;
  titles();
  for (const row of rows) {
    if (document.y + rowHeight > document.page.height - bottom) {
      document.addPage();
      titles();
    }
    line((column) => column.text(row), colors.text);
  }
  document.x = left;

  function titles(): void {
    line(({ title }) => title, colors.faint);
    drawRule(document, left, tableWidth, document.y - 3);
  }

  function line(textOf: (column: Column<Row>) => string, color: string): void {
    const { y } = document;
    let x = left;
    document.fontSize(9).fillColor(color);
    for (const column of columns) {
      const width = column.width * tableWidth;
      const options = { width: width - 6, height: rowHeight, lineBreak: false, ellipsis: true };
      document.text(drawable(document, textOf(column)), x, y, { ...options, align: column.align ?? 'left' });
      x += width;
    }
    document.y = y + rowHeight;
  }
}

function drawRule(document: Document, x: number, width: number, y: number): void {
  document
    .moveTo(x, y)
    .lineTo(x + width, y)
    .lineWidth(0.5)
    .stroke(colors.rule);
}

/** The geta mark, which replaces a missing character in print. */
const missing = '〓';
const mostCharacters = 200;

/** The parts of pdfkit's document that its types omit. */
interface DocumentWithFont {
  readonly _font: { readonly font: { hasGlyphForCodePoint(codePoint: number): boolean } };
}

/**
 * Makes a text that the document's font can draw, in one line. Each sequence of characters that the font lacks becomes
 * one 〓, so that a reader sees the gap. Marks that only control the layout are dropped.
 */
function drawable(document: Document, text: string): string {
  const { font } = (document as unknown as DocumentWithFont)._font;
  const line = writable(text.slice(0, mostCharacters))
    .normalize('NFC')
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cf}\p{Variation_Selector}]/gu, '');
  const drawn = Array.from(line, (character) =>
    font.hasGlyphForCodePoint(character.codePointAt(0)!) ? character : missing,
  );
  return drawn.join('').replace(/〓+/g, missing);
}

const chartHeight = 170;
const labelHeight = 16;
const axisWidth = 52;
const gridLines = 4;

/** Draws a bar for each amount, from zero, over a grid of round numbers. */
export function drawBars(document: Document, bars: readonly { readonly name: string; totalCents: number }[]): void {
  const { left, right } = document.page.margins;
  const top = document.y;
  const bottom = top + chartHeight - labelHeight;
  const width = document.page.width - left - right - axisWidth;
  const step = roundStep(Math.max(...bars.map(({ totalCents }) => totalCents / 100), 1) / gridLines);
  const scale = (bottom - top) / (step * gridLines);

  document.fontSize(8).fillColor(colors.faint);
  for (let line = 0; line <= gridLines; line += 1) {
    const y = bottom - line * step * scale;
    drawRule(document, left + axisWidth, width, y);
    const options = { width: axisWidth - 8, align: 'right', lineBreak: false } as const;
    document.text((line * step).toLocaleString('en'), left, y - 5, options);
  }
  const slot = width / bars.length;
  // As many labels as fit.
  const everyNth = Math.ceil(44 / slot);
  for (const [index, { name, totalCents }] of bars.entries()) {
    const x = left + axisWidth + index * slot;
    const barHeight = (Math.max(totalCents, 0) / 100) * scale;
    document.rect(x + slot * 0.15, bottom - barHeight, slot * 0.7, barHeight).fill(colors.bar);
    if (index % everyNth > 0) continue;
    const options = { width: slot + 44, align: 'center', lineBreak: false } as const;
    document.fillColor(colors.faint).text(name, x - 22, bottom + 4, options);
  }
  document.x = left;
  document.y = top + chartHeight;
}

/** The next of 1, 2, 2.5, 5, 10, 20, … */
function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return ([1, 2, 2.5, 5].find((factor) => factor * power >= step) ?? 10) * power;
}
