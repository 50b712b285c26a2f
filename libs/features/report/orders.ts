import { once } from 'node:events';
import type { Pool, PoolClient } from 'pg';
import { statement, type Database } from '@app/ledger';
import { sectionsOf, type Section } from './period';

export interface Order {
  readonly number: number;
  readonly placedAt: Date;
  readonly customer: string;
  readonly country: string;
  readonly product: string;
  readonly quantity: number;
  readonly unitPriceCents: number;
  readonly totalCents: number;
  readonly status: string;
  readonly note: string | null;
}

/** The orders of one tenant, from `from` (inclusive) to `to` (exclusive). Without `from` there is no lower bound. */
export interface OrderPeriod {
  readonly tenant: string;
  readonly from: Date | undefined;
  readonly to: Date;
}

export interface OrderCursor {
  readonly count: number;
  /** Ordered by time and number, at most `batchSize` at once. Can be read once. */
  readonly batches: AsyncIterable<readonly Order[]>;
}

const batchSize = 1_000;
/** `-infinity` replaces a missing lower bound, so that both bounds stay bounds of the index. */
const ofPeriod = ({ tenant, from, to }: { tenant: string; from: string; to: string }): string => `FROM customer_order
        WHERE tenant = ${tenant} AND placed_at >= coalesce(${from}, '-infinity') AND placed_at < ${to}`;

const periodParameters = { tenant: 'text', from: 'timestamptz?', to: 'timestamptz' } as const;

/** Both run once for each report: they are not prepared. */
const countOrders = statement<{ count: number }>(undefined).with(
  periodParameters,
  ($) => `SELECT count(*)::float8 AS count ${ofPeriod($)}`,
);

const declareCursor = statement<never>(undefined).with(
  periodParameters,
  ($) => `DECLARE orders NO SCROLL CURSOR FOR
   SELECT number::float8, placed_at AS "placedAt", customer, country, product, quantity,
          unit_price_cents AS "unitPriceCents", total_cents::float8 AS "totalCents", status, note
   ${ofPeriod($)} ORDER BY placed_at, number`,
);

/**
 * Reads the orders of a period as they are at one moment, through a server-side cursor: of a million orders, 1,000 are
 * in memory. Each FETCH is a statement of its own, with the time-out of one. Holds a connection until `work` ends.
 * @param signal aborts the reading
 * @param work gets the number of orders and their batches
 * @returns what `work` returns
 * @throws the signal's reason as soon as it aborts; the error of `work` or of PostgreSQL
 */
export async function withOrders<Result>(
  pool: Pool,
  period: OrderPeriod,
  signal: AbortSignal,
  work: (cursor: OrderCursor) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  let fault: Error | undefined;
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const [all] = await countOrders.run(client, period);
    await declareCursor.run(client, period);
    const result = await work({ count: all!.count, batches: fetchAll(client, signal) });
    await client.query('COMMIT');
    return result;
  } catch (error) {
    fault = error as Error;
    throw error;
  } finally {
    client.release(fault); // Closes a connection that failed inside its transaction.
  }
}

async function* fetchAll(client: PoolClient, signal: AbortSignal): AsyncGenerator<Order[]> {
  const aborted = new AbortController();
  const untilAborted = once(signal, 'abort', { signal: aborted.signal }).then(
    () => signal.throwIfAborted(),
    () => undefined, // All batches were read.
  );
  untilAborted.catch(() => undefined);
  try {
    for (;;) {
      signal.throwIfAborted();
      const fetched = client.query<Order>(`FETCH ${batchSize} FROM orders`);
      const { rows } = (await Promise.race([fetched, untilAborted]))!;
      if (rows.length > 0) yield rows;
      if (rows.length < batchSize) return;
    }
  } finally {
    aborted.abort();
  }
}

const spanStatement = statement<{ first: Date | null; last: Date | null; now: Date }>('span_of_orders').with(
  { tenant: 'text', from: 'timestamptz?', to: 'timestamptz?' },
  ($) => `SELECT min(placed_at) AS first, max(placed_at) AS last, now() AS now
          ${ofPeriod({ ...$, to: `coalesce(${$.to}, now())` })}`,
);

/**
 * @param period without an end: up to now, by the database's clock
 * @returns the sections of a period, from its first order to its last; one empty section when it has no orders
 */
export async function sectionsOfOrders(
  database: Database,
  { tenant, from, to: end }: Omit<OrderPeriod, 'to'> & { readonly to: Date | undefined },
): Promise<[Section, ...Section[]]> {
  const [span] = await spanStatement.run(database, { tenant, from, to: end });
  const to = end ?? span!.now;
  if (!span?.first || !span.last) return [{ from: (from ?? to).toISOString(), to: to.toISOString() }];
  const afterLast = new Date(span.last.getTime() + 1);
  return sectionsOf(span.first, afterLast < to ? afterLast : to);
}
