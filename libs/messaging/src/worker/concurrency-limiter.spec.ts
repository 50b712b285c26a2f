import { ConcurrencyLimiter } from './concurrency-limiter';

describe('Slots', () => {
  it('lets so many in, and the next one in for each that leaves, in order', async () => {
    const slots = new ConcurrencyLimiter(2);
    const entered: number[] = [];
    const enter = async (n: number) => {
      const leave = await slots.take();
      entered.push(n);
      return leave;
    };
    const [first, , third] = [enter(1), enter(2), enter(3), enter(4)];
    const leave = await first;
    await Promise.resolve();
    expect(entered).toEqual([1, 2]);
    leave();
    (await third)();
    await Promise.resolve();
    await Promise.resolve();
    expect(entered).toEqual([1, 2, 3, 4]);
  });
});
