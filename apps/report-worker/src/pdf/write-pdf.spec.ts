import { buffer } from 'node:stream/consumers';
import type { SectionSummary } from '@app/features/report';
import { readPdf } from '../../../../test/support/read-pdf';
import { writePdf } from './write-pdf';

function sectionOf(product: string, totalCents = 1_270): SectionSummary {
  const share = { orders: 1, totalCents };
  return {
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-02-01T00:00:00.000Z',
    orders: 1,
    totalCents,
    buckets: [{ name: '2026-01-02', ...share }],
    products: [{ name: product, ...share }],
    countries: [{ name: 'CN', ...share }],
    largest: [{ number: 1, placedAt: '2026-01-02T00:00:00.000Z', customer: '李伟', product, quantity: 1, totalCents }],
  };
}

const textOf = async (section: SectionSummary) => (await readPdf(await buffer(writePdf([section])))).join('\n');

describe('a text in a PDF', () => {
  it.each([
    ['several lines', 'Lamp\r\nwith\tshade', 'Lamp with shade'],
    ['control characters', 'Lamp\0\u0007\uFFFE', 'Lamp〓'],
    ['characters that the font does not have', 'Lamp 😀😀 שלום', 'Lamp 〓 〓'],
    ['invisible direction marks', 'L\u202Eamp\u200B\uFEFF', 'Lamp'],
    ['a letter and its accent as two characters', 'Cafe\u0301', 'Café'],
    ['half of a surrogate pair', 'Lamp\uD83D', 'Lamp〓'],
  ])('is drawn on one line, with 〓 only for what the font lacks, when it has %s', async (_, product, drawn) => {
    expect(await textOf(sectionOf(product))).toContain(`  ${drawn}  `);
  });

  it('is truncated when it is longer than its column', async () => {
    const text = await textOf(sectionOf('W'.repeat(1_000_000)));
    expect(text).toMatch(/ W{5,40}… /);
    expect(text).toContain('12.70 €');
  });
});

describe('a PDF', () => {
  it('shows a month with more refunds than sales as a negative amount', async () => {
    expect(await textOf(sectionOf('Lamp', -1_270))).toContain('-12.70 €');
  });
});
