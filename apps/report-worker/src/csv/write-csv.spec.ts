import { buffer, text } from 'node:stream/consumers';
import type { Order } from '@app/features/report';
import { writeCsv } from './write-csv';

const order: Order = {
  number: 1,
  placedAt: new Date('2026-01-02T03:04:05.678Z'),
  customer: '李伟',
  country: 'CN',
  product: 'Monitor 27"',
  quantity: 2,
  unitPriceCents: 1270,
  totalCents: 2540,
  status: 'paid',
  note: null,
};

async function lineOf(changed: Partial<Order>): Promise<string> {
  const csv = await text(writeCsv(batches([{ ...order, ...changed }])));
  return csv.slice(csv.indexOf('\r\n') + 2);
}

/** The note as a parser of RFC 4180 reads it. */
async function readBack(note: string): Promise<string> {
  const line = await lineOf({ note });
  const cells = [...line.matchAll(/("(?:[^"]|"")*"|[^",\r\n]*)(?:,|\r\n$)/g)].map(([, cell]) => cell!);
  expect(cells).toHaveLength(10);
  return cells.at(-1)!.replace(/^"|"$/g, '').replaceAll('""', '"');
}

async function* batches(...all: Order[][]): AsyncGenerator<Order[]> {
  for (const batch of all) yield await Promise.resolve(batch);
}

describe('an order as a line of CSV', () => {
  it('is UTF-8 with a byte order mark, a header line, and amounts with two decimals', async () => {
    expect((await buffer(writeCsv(batches([order])))).toString()).toBe(
      '\uFEFFnumber,placed_at,customer,country,product,quantity,unit_price,total,status,note\r\n' +
        '1,2026-01-02T03:04:05.678Z,李伟,CN,"Monitor 27""",2,12.70,25.40,paid,\r\n',
    );
  });

  it.each([
    '=1+1',
    '+1',
    '-1',
    '@a',
    '\tx',
    '\rx',
    '\nx',
    ' =1',
    '\u00A0=1',
    '\u3000=1',
    '\u200B=1',
    '\uFEFF=1',
    '"=1',
    '＝1',
    '＋1',
    '－1',
    '＠a',
    ' ＝1',
  ])('writes as plain text what a spreadsheet would run as a formula: %j', async (note) => {
    expect(await readBack(note)).toBe(`'${note}`);
  });

  it.each([
    ['a;=1+1', "a;'=1+1"],
    ['a; "=1+1', `a;' "=1+1`],
    ['a\n=1+1', "a\n'=1+1"],
    ['\n=1', "'\n'=1"],
    ['\r\n=1', "'\r\n'=1"],
    ['a=1; b-2, c@d', 'a=1; b-2, c@d'],
  ])('contains no formula in a spreadsheet that splits cells at semicolons: %j', async (note, read) => {
    expect(await readBack(note)).toBe(read);
  });

  it('has an amount below zero as a number', async () => {
    expect(await lineOf({ unitPriceCents: -5, totalCents: -123456 })).toContain(',-0.05,-1234.56,');
  });

  it.each([
    ['a NUL', 'a\0b', 'a\uFFFDb'],
    ['a control character', 'a\u0008b', 'a\uFFFDb'],
    ['half of a surrogate pair', 'a\uD800b', 'a\uFFFDb'],
    ['a character beyond the first plane', '😀', '😀'],
    ['quotes', '"a", "b"', '"a", "b"'],
  ])('is read back with every character that CSV can hold: %s', async (_, note, read) => {
    expect(await readBack(note)).toBe(read);
  });

  it('writes as text a time that a Date cannot hold', async () => {
    expect(await lineOf({ placedAt: Infinity as unknown as Date })).toMatch(/^1,Infinity,/);
  });

  it.each(['a\nb', 'a\rb', 'a\r\nb', 'a,b'])('keeps %j in one cell', async (note) => {
    expect(await lineOf({ note })).toContain(`,"${note}"\r\n`);
  });

  it('passes an error of its source on to the reader of the file', async () => {
    const broken = async function* (): AsyncGenerator<Order[]> {
      yield await Promise.resolve([order]);
      throw new Error('the database is gone');
    };
    await expect(text(writeCsv(broken()))).rejects.toThrow('the database is gone');
  });
});
