import type { Pool } from 'pg';
import type { Section, SectionSummary } from '@app/features/report';
import type { JobContext } from '@app/messaging';
import { withOrders, type Order } from '@app/features/report';

const largestKept = 10;
/**
 * How many names each section keeps, so that the PDF can add up its sections: with ten per section, some would be
 * missing.
 */
const namesKept = 1_000;
const longestByDay = 32 * 24 * 60 * 60 * 1_000;

/** Reads every order of a tenant in a section once, and keeps only sums. */
export async function summarise(
  pool: Pool,
  tenant: string,
  { from, to }: Section,
  signal: AbortSignal,
  progress: JobContext['progress'],
): Promise<SectionSummary> {
  const start = new Date(from);
  const end = new Date(to);
  const isByDay = end.getTime() - start.getTime() <= longestByDay;
  return withOrders(pool, { tenant, from: start, to: end }, signal, async ({ count, batches }) => {
    const buckets = new Shares();
    const products = new Shares();
    const countries = new Shares();
    const largest: Order[] = [];
    let orders = 0;
    let totalCents = 0;
    for await (const batch of batches) {
      for (const order of batch) {
        totalCents += order.totalCents;
        buckets.add(order.placedAt.toISOString().slice(0, isByDay ? 10 : 7), order.totalCents);
        products.add(order.product, order.totalCents);
        countries.add(order.country, order.totalCents);
        keepIfLarge(largest, order);
      }
      orders += batch.length;
      progress(Math.min(99, (orders / count) * 100), `${orders} of ${count} orders`);
    }
    return {
      from,
      to,
      orders,
      totalCents,
      buckets: buckets.inOrder(),
      products: products.largest(namesKept),
      countries: countries.largest(namesKept),
      largest: largest.map(({ number, placedAt, customer, product, quantity, totalCents: cents }) => ({
        number,
        placedAt: placedAt.toISOString(),
        customer,
        product,
        quantity,
        totalCents: cents,
      })),
    };
  });
}

function keepIfLarge(largest: Order[], order: Order): void {
  if (largest.length === largestKept && order.totalCents <= largest[largestKept - 1]!.totalCents) return;
  // Of equal orders, the first stays before the later ones.
  const place = largest.findIndex(({ totalCents }) => totalCents < order.totalCents);
  largest.splice(place === -1 ? largest.length : place, 0, order);
  largest.length = Math.min(largest.length, largestKept);
}

/** Orders and money by name. */
export class Shares {
  private readonly byName = new Map<string, { name: string; orders: number; totalCents: number }>();

  add(name: string, totalCents: number, orders = 1): void {
    const share = this.byName.get(name) ?? { name, orders: 0, totalCents: 0 };
    share.orders += orders;
    share.totalCents += totalCents;
    this.byName.set(name, share);
  }

  inOrder() {
    return [...this.byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Sorted by money, and by name when equal, so that the same orders always give the same result. */
  largest(count: number) {
    return this.inOrder()
      .sort((a, b) => b.totalCents - a.totalCents)
      .slice(0, count);
  }
}
