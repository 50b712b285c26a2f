import type { Order, OrderCursor } from '@app/features/report';
import type { JobContext } from '@app/messaging';

/** Reading the orders is most of the progress; the rest is for storing what was made of them. */
export const mostPercent = 99;

/** Passes the batches of a cursor on, and reports how many orders have been handled. */
export async function* withProgress(
  { count, batches }: OrderCursor,
  progress: JobContext['progress'],
): AsyncGenerator<readonly Order[]> {
  let orders = 0;
  for await (const batch of batches) {
    yield batch;
    orders += batch.length;
    progress(Math.min(mostPercent, (orders / count) * 100), `${orders} of ${count} orders`);
  }
}
