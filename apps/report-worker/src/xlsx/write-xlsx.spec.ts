import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises';
import type { Order } from '@app/persistence';
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

  it('an error of the reading is one of the file', async () => {
    const broken = async function* (): AsyncGenerator<Order[]> {
      yield* orders();
      throw new Error('the database is gone');
    };
    await expect(buffer(writeXlsx(broken()))).rejects.toThrow('the database is gone');
  });
});
