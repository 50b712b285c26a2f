import { buffer, text } from 'node:stream/consumers';
import type { Order } from '@app/persistence';
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

async function* batches(...all: Order[][]): AsyncGenerator<Order[]> {
  for (const batch of all) yield await Promise.resolve(batch);
}

describe('an order as a line of CSV', () => {
  it('is in UTF-8, with a byte order mark, a line of names, and money with two digits', async () => {
    expect((await buffer(writeCsv(batches([order])))).toString()).toBe(
      '\uFEFFnumber,placed_at,customer,country,product,quantity,unit_price,total,status,note\r\n' +
        '1,2026-01-02T03:04:05.678Z,李伟,CN,"Monitor 27""",2,12.70,25.40,paid,\r\n',
    );
  });

  it.each(['=1+1', '+1', '-1', '@a', '\tx', '\rx'])('what a spreadsheet would run is a text: %j', async (note) => {
    expect(await lineOf({ note })).toMatch(/,"?'[=+\-@\t\r]/);
  });

  it.each(['a\nb', 'a\rb', 'a\r\nb', 'a,b'])('%j stays in its cell', async (note) => {
    expect(await lineOf({ note })).toContain(`,"${note}"\r\n`);
  });

  it('an error of the reading is one of the file', async () => {
    const broken = async function* (): AsyncGenerator<Order[]> {
      yield await Promise.resolve([order]);
      throw new Error('the database is gone');
    };
    await expect(text(writeCsv(broken()))).rejects.toThrow('the database is gone');
  });
});
