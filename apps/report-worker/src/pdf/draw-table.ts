import { drawable } from './drawable-text';

type Document = PDFKit.PDFDocument;

export interface Column<Row> {
  readonly title: string;
  /** Share of the whole width. */
  readonly width: number;
  readonly align?: 'right';
  readonly text: (row: Row) => string;
}

const rowHeight = 17;
const size = 9;

/** Draws rows of one line each, and repeats the titles on every page. */
export function drawTable<Row>(
  document: Document,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  colors: { readonly text: string; readonly faint: string; readonly rule: string },
): void {
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
    document
      .moveTo(left, document.y - 3)
      .lineTo(left + tableWidth, document.y - 3)
      .lineWidth(0.5)
      .stroke(colors.rule);
  }

  function line(textOf: (column: Column<Row>) => string, color: string): void {
    const { y } = document;
    let x = left;
    document.fontSize(size).fillColor(color);
    for (const column of columns) {
      const width = column.width * tableWidth - 6;
      document.text(drawable(document, textOf(column)), x, y, {
        width,
        height: rowHeight,
        align: column.align ?? 'left',
        lineBreak: false,
        ellipsis: true,
      });
      x += column.width * tableWidth;
    }
    document.y = y + rowHeight;
  }
}
