import { ConcurrencyLimiter } from './concurrency-limit';

describe('ConcurrencyLimiter', () => {
  it('admits as many as it has slots, and the next in order when one leaves', async () => {
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
