import { Pool } from 'pg';
import { summariseSection, withOrders, type Order, type Section, type SectionSummary } from '@app/features/report';
import { done, JobHandler, type Handler, type JobContext, type JobOf } from '@app/messaging';
import { withProgress } from './with-progress';

type LargeOrder = SectionSummary['largest'][number];

const largestKept = 10;
/**
 * How many names each section keeps, so that the PDF can add up its sections: with ten per section, some would be
 * missing.
 */
const namesKept = 1_000;
const longestByDay = 32 * 24 * 60 * 60 * 1_000;

@JobHandler(summariseSection)
export class SummariseSectionHandler implements Handler<typeof summariseSection> {
  constructor(private readonly pool: Pool) {}

  async handle({ tenant, payload }: JobOf<typeof summariseSection>, { signal, progress }: JobContext) {
    return done(await summarise(this.pool, tenant, payload, signal, progress));
  }
}

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
  return withOrders(pool, { tenant, from: start, to: end }, signal, async (cursor) => {
    const buckets = new Shares();
    const products = new Shares();
    const countries = new Shares();
    const largest: LargeOrder[] = [];
    let totalCents = 0;
    for await (const batch of withProgress(cursor, progress)) {
      for (const order of batch) {
        totalCents += order.totalCents;
        buckets.add(order.placedAt.toISOString().slice(0, isByDay ? 10 : 7), order.totalCents);
        products.add(order.product, order.totalCents);
        countries.add(order.country, order.totalCents);
        keepIfLarge(largest, order);
      }
    }
    return {
      from,
      to,
      orders: cursor.count,
      totalCents,
      buckets: buckets.inOrder(),
      products: products.largest(namesKept),
      countries: countries.largest(namesKept),
      largest,
    };
  });
}

function keepIfLarge(largest: LargeOrder[], order: Order): void {
  const { number, placedAt, customer, product, quantity, totalCents } = order;
  if (largest.length === largestKept && totalCents <= largest[largestKept - 1]!.totalCents) return;
  // Of equal orders, the first stays before the later ones.
  const place = largest.findIndex((kept) => kept.totalCents < totalCents);
  const kept = { number, placedAt: placedAt.toISOString(), customer, product, quantity, totalCents };
  largest.splice(place === -1 ? largest.length : place, 0, kept);
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
