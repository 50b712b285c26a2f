import { ConcurrencyLimiter } from './concurrency-limit';

describe('ConcurrencyLimiter', () => {
  it('admits as many as it has slots, and the next in order when one leaves', async () => {
    const limiter = new ConcurrencyLimiter(2);
    const entered: number[] = [];
    const enter = async (n: number) => {
      await limiter.take();
      entered.push(n);
    };
    const [, , third, fourth] = [enter(1), enter(2), enter(3), enter(4)];
    await Promise.resolve();
    expect(entered).toEqual([1, 2]);
    limiter.leave();
    await third;
    expect(entered).toEqual([1, 2, 3]);
    limiter.leave();
    await fourth;
    expect(entered).toEqual([1, 2, 3, 4]);
  });
});
