import { Batcher, hotGroups, type BatcherOptions } from './batcher';

/** A batcher whose calls end when the test says so. */
function heldBatcher(options: BatcherOptions) {
  const groups: { items: number[]; finish: () => void }[] = [];
  const write = (items: number[]) =>
    new Promise<number[]>((resolve) => groups.push({ items, finish: () => resolve(items) }));
  return { groups, batcher: new Batcher(write, options) };
}

describe('Batcher', () => {
  it('joins items that come within the window into one call, and gives each caller its own answer', async () => {
    const groups: number[][] = [];
    const collector = new Batcher<number, number>((items) => {
      groups.push(items);
      return Promise.resolve(items.map((item) => item * 2));
    });
    expect(await Promise.all([1, 2, 3].map((item) => collector.add(item)))).toEqual([2, 4, 6]);
    expect(groups).toEqual([[1, 2, 3]]);
  });

  it('collects the next group while a call is in flight', async () => {
    const { groups, batcher } = heldBatcher({ groupSize: 2 });
    const all = [1, 2, 3, 4, 5].map((item) => batcher.add(item));
    expect(groups.map(({ items }) => items)).toEqual([[1, 2]]);
    groups[0]!.finish();
    await all[1];
    await Promise.resolve();
    expect(groups.map(({ items }) => items)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    groups[1]!.finish();
    await all[3];
    await Promise.resolve();
    groups[2]!.finish();
    expect(await Promise.all(all)).toEqual([1, 2, 3, 4, 5]);
  });

  it('runs as many calls at once as it may', async () => {
    const { groups, batcher } = heldBatcher({ groupSize: 2, atOnce: 2 });
    const all = [1, 2, 3, 4, 5, 6].map((item) => batcher.add(item));
    expect(groups.map(({ items }) => items)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    groups[1]!.finish();
    await all[3];
    await Promise.resolve();
    expect(groups.map(({ items }) => items)).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    for (const { finish } of groups) finish();
    expect(await Promise.all(all)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('begins another call beside a running one only for 64 items or more', () => {
    jest.useFakeTimers();
    try {
      const { groups, batcher } = heldBatcher(hotGroups);
      const add = (count: number): void => {
        for (let item = 0; item < count; item += 1) void batcher.add(item);
        jest.advanceTimersByTime(100);
      };
      add(1);
      add(63);
      expect(groups.map(({ items }) => items.length)).toEqual([1]);
      add(1);
      expect(groups.map(({ items }) => items.length)).toEqual([1, 64]);
    } finally {
      jest.useRealTimers();
    }
  });

  it('rejects only the item that is refused', async () => {
    const collector = new Batcher<string, string>((items) =>
      items.includes('bad') ? Promise.reject(new Error('refused')) : Promise.resolve(items),
    );
    const results = await Promise.allSettled(['a', 'bad', 'b'].map((item) => collector.add(item)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });
});
