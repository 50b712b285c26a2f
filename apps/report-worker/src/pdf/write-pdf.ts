import { join } from 'node:path';
import type { Readable } from 'node:stream';
import PDFDocument from 'pdfkit';
import type { SectionSummary } from '@app/features/report';
import { ownErrors } from '@app/storage';
import { drawBars } from './draw-bars';
import { drawTable, type Column } from './draw-table';
import { Shares } from './summarise';

/** Noto Sans SC: Latin and the Chinese characters of GB 2312; see ../fonts/README.md. */
const font = join(__dirname, '../fonts/NotoSansSC-Regular.ttf');

const margin = 48;
const mostShown = 10;
const colors = { text: '#1f2933', faint: '#7b8794', rule: '#cbd2d9', bar: '#2f6fab' };

const money = (cents: number) =>
  `${(cents / 100).toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })} €`;
const whole = (count: number) => count.toLocaleString('en');
const day = (moment: string) => moment.slice(0, 10);

type Share = SectionSummary['products'][number];
type LargeOrder = SectionSummary['largest'][number];

const shareColumns = (title: string): Column<Share>[] => [
  { title, width: 0.5, text: ({ name }) => name },
  { title: 'Orders', width: 0.2, align: 'right', text: ({ orders }) => whole(orders) },
  { title: 'Total', width: 0.3, align: 'right', text: ({ totalCents }) => money(totalCents) },
];

const largestColumns: Column<LargeOrder>[] = [
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
  const from = sections[0]!.from;
  const to = sections.at(-1)!.to;
  const title = `Orders from ${day(from)} to ${day(to)}`;
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
  return ownErrors(document);

  function summary(): void {
    const orders = sections.reduce((sum, section) => sum + section.orders, 0);
    const totalCents = sections.reduce((sum, section) => sum + section.totalCents, 0);
    const average = orders === 0 ? 0 : Math.round(totalCents / orders);
    document.moveDown(0.5).fontSize(12);
    document.text(`${whole(orders)} orders, ${money(totalCents)}, on average ${money(average)}`);
    heading(`Turnover by ${sections.length > 1 && isLong(sections[1]!) ? 'year' : 'month'}`);
    drawBars(
      document,
      sections.map((section) => ({ label: labelOf(section), value: section.totalCents / 100 })),
      colors,
    );
    heading('Sections');
    const rows = sections.map((section) => ({ name: labelOf(section), ...section }));
    drawTable(document, shareColumns('Section'), rows, colors);
    heading('Products that brought most');
    drawTable(
      document,
      shareColumns('Product'),
      joined(({ products }) => products),
      colors,
    );
  }

  function page(section: SectionSummary): void {
    document.addPage();
    document.fillColor(colors.text).fontSize(18).text(labelOf(section));
    document.fontSize(11).text(`${whole(section.orders)} orders, ${money(section.totalCents)}`);
    heading('Largest orders');
    drawTable(document, largestColumns, section.largest, colors);
    heading('Products that brought most');
    drawTable(document, shareColumns('Product'), section.products.slice(0, mostShown), colors);
    heading('Countries that brought most');
    drawTable(document, shareColumns('Country'), section.countries.slice(0, mostShown), colors);
    heading(isLong(section) ? 'By month' : 'By day');
    drawTable(document, shareColumns(isLong(section) ? 'Month' : 'Day'), section.buckets, colors);
  }

  function heading(text: string): void {
    // Keeps it from standing alone at the end of a page.
    if (document.y > document.page.height - margin - 90) document.addPage();
    document.moveDown(0.9).fillColor(colors.text).fontSize(13).text(text, margin);
    document.moveDown(0.3);
  }

  function joined(sharesOf: (section: SectionSummary) => readonly Share[]): Share[] {
    const all = new Shares();
    for (const section of sections) {
      for (const { name, totalCents, orders } of sharesOf(section)) all.add(name, totalCents, orders);
    }
    return all.largest(mostShown);
  }

  function numberPages(): void {
    const { start, count } = document.bufferedPageRange();
    for (let index = 0; index < count; index += 1) {
      document.switchToPage(start + index);
      // Text below the margin would otherwise begin a new page.
      document.page.margins.bottom = 0;
      document.fontSize(9).fillColor(colors.faint);
      document.text(`Page ${index + 1} of ${count}`, margin, document.page.height - 32, {
        align: 'right',
        lineBreak: false,
        width: document.page.width - 2 * margin,
      });
    }
  }
}

const isLong = ({ buckets }: SectionSummary) => buckets[0]?.name.length === 7;

/** "2026-11" for a month or a part of it; "2026" for a year. */
function labelOf(section: SectionSummary): string {
  return section.from.slice(0, isLong(section) ? 4 : 7);
}
