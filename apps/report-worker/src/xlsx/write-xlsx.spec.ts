import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises';
import { Workbook, type CellValue } from 'exceljs';
import type { Order } from '@app/features/report';
import { writeXlsx } from './write-xlsx';

async function* orders(): AsyncGenerator<Order[]> {
  for (let batch = 0; batch < 3; batch += 1) {
    yield await Promise.resolve(
      Array.from({ length: 1_000 }, (_, n) => ({
        number: batch * 1_000 + n,
        placedAt: new Date(n),
        customer: '李伟',
        country: 'CN',
        product: `Product ${n}`,
        quantity: 1,
        unitPriceCents: n,
        totalCents: n,
        status: 'paid',
        note: null,
      })),
    );
  }
}

/** The cells of one order as exceljs reads them, whose parser of XML takes nothing that is not well-formed. */
async function cellsOf(changed: Partial<Order>): Promise<Record<string, CellValue>> {
  const { value: batch } = (await orders().next()) as { value: Order[] };
  const one = async function* () {
    yield await Promise.resolve([{ ...batch[0]!, ...changed }]);
  };
  const workbook = new Workbook();
  await workbook.xlsx.load((await buffer(writeXlsx(one()))) as never);
  const sheet = workbook.worksheets[0]!;
  const names = (sheet.getRow(1).values as string[]).slice(1);
  return Object.fromEntries(names.map((name, index) => [name, sheet.getRow(2).getCell(index + 1).value]));
}

describe('a cell of a workbook', () => {
  it.each([
    ['the noncharacter U+FFFE', 'a\uFFFEb', 'a\uFFFDb'],
    ['the noncharacter U+FFFF', '\uFFFF', '\uFFFD'],
    ['a NUL', 'a\0b', 'a\uFFFDb'],
    ['control characters', 'a\u000Bb\u001Fc', 'a\uFFFDb\uFFFDc'],
    ['halves of surrogate pairs', 'a\uDC00b\uD800', 'a\uFFFDb\uFFFD'],
    ['characters beyond the first plane', '😀 \u{1FFFE}', '😀 \u{1FFFE}'],
    ['what looks like an escape', '_x0041_ _x000D_x0042_ _x005F_x0041_', '_x0041_ _x000D_x0042_ _x005F_x0041_'],
    ['CR LF and a lone CR', 'a\r\nb\rc\nd', 'a\nb\nc\nd'],
    ['spaces at its ends', '  a  ', '  a  '],
    ['what looks like a formula', '=1+1', '=1+1'],
    ['what looks like markup', '<v>]]>"\'', '<v>]]>"\''],
  ])('holds %s as far as XML can', async (_, note, read) => {
    expect((await cellsOf({ note }))['note']).toBe(read);
  });

  it('holds 32,767 characters of a text, and no half of a pair', async () => {
    const note = async (text: string) => (await cellsOf({ note: text }))['note'] as string;
    expect(await note('x'.repeat(32_767))).toBe('x'.repeat(32_767));
    expect(await note('x'.repeat(32_768))).toBe(`${'x'.repeat(32_766)}…`);
    expect(await note(`${'x'.repeat(32_765)}😀😀`)).toBe(`${'x'.repeat(32_765)}…`);
  });

  it.each([
    ['before March 1900', '1899-12-31T00:00:00.000Z'],
    ['after 9999', '+010000-01-01T00:00:00.000Z'],
  ])('holds a moment %s as a text', async (_, moment) => {
    expect((await cellsOf({ placedAt: new Date(moment) }))['placed_at']).toBe(moment);
  });

  it('holds a moment that a workbook can count as a date, and one that no Date holds as a text', async () => {
    const placedAt = new Date('1900-03-01T00:00:00Z');
    expect((await cellsOf({ placedAt }))['placed_at']).toEqual(placedAt);
    expect((await cellsOf({ placedAt: -Infinity as unknown as Date }))['placed_at']).toBe('-Infinity');
  });

  it('holds a number of more than 15 digits as a text', async () => {
    const cells = await cellsOf({ number: 9_007_199_254_740_991, totalCents: -1_270, unitPriceCents: 1 });
    expect([cells['number'], cells['total'], cells['unit_price']]).toEqual(['9007199254740991', -12.7, 0.01]);
    expect((await cellsOf({ number: 999_999_999_999_999 }))['number']).toBe(999_999_999_999_999);
  });
});

describe('a workbook', () => {
  it('is the same, whenever it is made', async () => {
    const first = await buffer(writeXlsx(orders()));
    await delay(2_100); // A zip file counts in steps of two seconds.
    expect((await buffer(writeXlsx(orders()))).equals(first)).toBe(true);
  });

  it('takes no more orders than its reader has room for', async () => {
    const { value: batch } = (await orders().next()) as { value: Order[] };
    const all = 60;
    let taken = 0;
    const many = async function* (): AsyncGenerator<Order[]> {
      for (; taken < all; taken += 1) {
        // What does not get smaller in the file.
        yield batch.map((order) => ({ ...order, note: randomBytes(60).toString('base64') }));
        await immediate();
      }
    };
    const workbook = writeXlsx(many());
    workbook.read(0); // Nothing is made before it is read.
    // Until it stands still, or has taken all.
    for (let before = -1; before !== taken;) {
      before = taken;
      await delay(200);
    }
    expect(taken).toBeLessThan(all / 2);
    workbook.resume();
    await once(workbook, 'end');
    expect(taken).toBe(all);
  });

  it('ends the reading of orders when its reader has gone', async () => {
    const { value: batch } = (await orders().next()) as { value: Order[] };
    let hasEnded = false;
    const endless = async function* (): AsyncGenerator<Order[]> {
      try {
        for (;;) {
          yield batch;
          await immediate();
        }
      } finally {
        hasEnded = true;
      }
    };
    const workbook = writeXlsx(endless());
    await once(workbook, 'readable');
    workbook.destroy();
    await once(workbook, 'close');
    expect(hasEnded).toBe(true);
  });

  it('an error of the reading is one of the file', async () => {
    const broken = async function* (): AsyncGenerator<Order[]> {
      yield* orders();
      throw new Error('the database is gone');
    };
    await expect(buffer(writeXlsx(broken()))).rejects.toThrow('the database is gone');
  });
});
