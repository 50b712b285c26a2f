import fc from 'fast-check';
import { cutBySize, mostBatchBytes } from './cut-by-size';

describe('cutBySize', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 2 * mostBatchBytes }), { maxLength: 100 });
  const bytesOf = (batch: readonly number[]) => batch.reduce((sum, bytes) => sum + bytes, 0);

  it('keeps every message in order, and makes no batch of several messages larger than Kafka accepts', () => {
    fc.assert(
      fc.property(sizes, (messages) => {
        const batches = cutBySize(messages, (bytes) => bytes);
        expect(batches.flat()).toEqual(messages);
        for (const batch of batches) expect(batch.length === 1 || bytesOf(batch) <= mostBatchBytes).toBe(true);
      }),
    );
  });

  it('fills a batch before it begins another', () => {
    const batches = cutBySize(Array(100).fill(mostBatchBytes / 10), (bytes: number) => bytes);
    expect(batches.map(({ length }) => length)).toEqual(Array(10).fill(10));
  });
});
