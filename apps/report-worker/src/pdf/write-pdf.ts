import { join } from 'node:path';
import type { Readable } from 'node:stream';
import PDFDocument from 'pdfkit';
import type { SectionSummary } from '@app/features/report';
import { colors, drawBars, drawTable, type Column } from './drawing';
import { Shares } from '../summarise-section.handler';

/** Noto Sans SC: Latin and the Chinese characters of GB 2312; see ../fonts/README.md. */
const font = join(__dirname, '../fonts/NotoSansSC-Regular.ttf');

const margin = 48;
const mostShown = 10;

const money = (cents: number) =>
  `${(cents / 100).toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })} €`;
const whole = (count: number) => count.toLocaleString('en');
const day = (moment: string) => moment.slice(0, 10);

const shareColumns = (title: string): Column<SectionSummary['products'][number]>[] => [
  { title, width: 0.5, text: ({ name }) => name },
  { title: 'Orders', width: 0.2, align: 'right', text: ({ orders }) => whole(orders) },
  { title: 'Total', width: 0.3, align: 'right', text: ({ totalCents }) => money(totalCents) },
];

const largestColumns: Column<SectionSummary['largest'][number]>[] = [
  { title: 'Order', width: 0.1, text: ({ number }) => String(number) },
  { title: 'Placed', width: 0.14, text: ({ placedAt }) => day(placedAt) },
  { title: 'Customer', width: 0.26, text: ({ customer }) => customer },
  { title: 'Product', width: 0.24, text: ({ product }) => product },
  { title: 'Pieces', width: 0.08, align: 'right', text: ({ quantity }) => whole(quantity) },
  { title: 'Total', width: 0.18, align: 'right', text: ({ totalCents }) => money(totalCents) },
];

/**
 * Writes the PDF: a summary with a chart, then a page or two for each section. Every byte depends on the sections only.
 */
export function writePdf(sections: readonly SectionSummary[]): Readable {
  const to = sections.at(-1)!.to;
  const title = `Orders from ${day(sections[0]!.from)} to ${day(to)}`;
  const document = new PDFDocument({
    size: 'A4',
    margin,
    bufferPages: true, // For "page 1 of 9".
    font,
    lang: 'en',
    displayTitle: true,
    info: { Title: title, Creator: 'node-message-queue', CreationDate: new Date(to), ModDate: new Date(to) },
  });
  document.fillColor(colors.text).fontSize(22).text(title);
  summary();
  for (const section of sections) page(section);
  numberPages();
  document.end();
  return document;

  function summary(): void {
    const orders = sections.reduce((sum, section) => sum + section.orders, 0);
    const totalCents = sections.reduce((sum, section) => sum + section.totalCents, 0);
    const average = orders === 0 ? 0 : Math.round(totalCents / orders);
    document.moveDown(0.5).fontSize(12);
    document.text(`${whole(orders)} orders, ${money(totalCents)}, on average ${money(average)}`);
    heading(`Turnover by ${sections.length > 1 && isLong(sections[1]!) ? 'year' : 'month'}`);
    const rows = sections.map((section) => ({ ...section, name: labelOf(section) }));
    drawBars(document, rows);
    table('Sections', shareColumns('Section'), rows);
    const products = new Shares();
    for (const { name, totalCents, orders } of sections.flatMap((section) => section.products)) {
      products.add(name, totalCents, orders);
    }
    table('Products that brought most', shareColumns('Product'), products.largest(mostShown));
  }

  function page(section: SectionSummary): void {
    document.addPage();
    document.fillColor(colors.text).fontSize(18).text(labelOf(section));
    document.fontSize(11).text(`${whole(section.orders)} orders, ${money(section.totalCents)}`);
    table('Largest orders', largestColumns, section.largest);
    table('Products that brought most', shareColumns('Product'), section.products.slice(0, mostShown));
    table('Countries that brought most', shareColumns('Country'), section.countries.slice(0, mostShown));
    if (isLong(section)) table('By month', shareColumns('Month'), section.buckets);
    else table('By day', shareColumns('Day'), section.buckets);
  }

  function table<Row>(title: string, columns: readonly Column<Row>[], rows: readonly Row[]): void {
    heading(title);
    drawTable(document, columns, rows);
  }

  function heading(text: string): void {
    // A heading near the end of a page moves to a new page: otherwise it would stand there without its table or chart.
    if (document.y > document.page.height - margin - 90) document.addPage();
    document.moveDown(0.9).fillColor(colors.text).fontSize(13).text(text, margin);
    document.moveDown(0.3);
  }

  function numberPages(): void {
    const { start, count } = document.bufferedPageRange();
    for (let index = 0; index < count; index += 1) {
      document.switchToPage(start + index);
      // Text below the margin would otherwise begin a new page.
      document.page.margins.bottom = 0;
      document.fontSize(9).fillColor(colors.faint);
      const options = { width: document.page.width - 2 * margin, align: 'right', lineBreak: false } as const;
      document.text(`Page ${index + 1} of ${count}`, margin, document.page.height - 32, options);
    }
  }
}

const isLong = ({ buckets }: SectionSummary) => buckets[0]?.name.length === 7;

/** "2026-11" for a month or a part of it; "2026" for a year. */
function labelOf(section: SectionSummary): string {
  return section.from.slice(0, isLong(section) ? 4 : 7);
}
