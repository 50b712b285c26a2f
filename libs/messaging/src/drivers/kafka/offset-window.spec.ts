import fc from 'fast-check';
import { OffsetWindow } from './offset-window';

describe('OffsetWindow', () => {
  it('commits nothing beyond the first unfinished message, in whatever order messages finish', () => {
    const endings = fc
      .integer({ min: 1, max: 50 })
      .chain((count) =>
        fc.shuffledSubarray(Array.from({ length: count }, (_, n) => n)).map((order) => ({ count, order })),
      );
    fc.assert(
      fc.property(endings, fc.integer({ min: 0, max: 1_000 }), ({ count, order }, first) => {
        const window = new OffsetWindow();
        const ends = Array.from({ length: count }, (_, n) => window.begin(String(first + n)));
        const ended = new Set<number>();
        for (const n of order) {
          ends[n]!();
          ended.add(n);
          let prefix = 0;
          while (ended.has(prefix)) prefix += 1;
          expect(window.committable).toBe(prefix === 0 ? undefined : String(first + prefix));
        }
      }),
    );
  });

  it('has nothing to commit after a commit, until another message finishes', () => {
    const window = new OffsetWindow();
    const [first, second] = [window.begin('7'), window.begin('9')];
    first();
    expect(window.committable).toBe('8');
    window.wasCommitted('8');
    expect(window.committable).toBeUndefined();
    second();
    expect(window.committable).toBe('10');
  });
});
