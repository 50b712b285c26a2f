import { once } from 'node:events';
import type { Pool, PoolClient } from 'pg';
import { sectionsOf, type Section } from '@app/contracts';
import { Statement, type Database } from './statement';

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

/** From a moment on, and before another. */
export interface OrderPeriod {
  readonly from: Date | undefined;
  readonly to: Date;
}

export interface OrderCursor {
  readonly count: number;
  /** By time and number, some hundred at once. To be read once. */
  readonly batches: AsyncIterable<readonly Order[]>;
}

const batchSize = 1_000;
const ofPeriod = `FROM customer_order WHERE ($1::timestamptz IS NULL OR placed_at >= $1) AND placed_at < $2`;

/**
 * Reads the orders of a period as they are at one moment, through a cursor of the server: of a million, a thousand are
 * in memory. Each FETCH is a statement of its own, with the time-out of one. Holds a connection until `work` ends.
 * @throws the signal's reason, at once
 */
export async function withOrders<Result>(
  pool: Pool,
  { from, to }: OrderPeriod,
  signal: AbortSignal,
  work: (cursor: OrderCursor) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  let fault: Error | undefined;
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows } = await client.query<{ count: string }>(`SELECT count(*) ${ofPeriod}`, [from ?? null, to]);
    await client.query(
      `DECLARE orders NO SCROLL CURSOR FOR
       SELECT number::float8, placed_at AS "placedAt", customer, country, product, quantity,
              unit_price_cents AS "unitPriceCents", total_cents::float8 AS "totalCents", status, note
       ${ofPeriod} ORDER BY placed_at, number`,
      [from ?? null, to],
    );
    const result = await work({ count: Number(rows[0]!.count), batches: fetchAll(client, signal) });
    await client.query('COMMIT');
    return result;
  } catch (error) {
    fault = error as Error;
    throw error;
  } finally {
    client.release(fault); // A connection that is in the middle of something is closed.
  }
}

async function* fetchAll(client: PoolClient, signal: AbortSignal): AsyncGenerator<Order[]> {
  const aborted = new AbortController();
  const untilAborted = once(signal, 'abort', { signal: aborted.signal }).then(
    () => signal.throwIfAborted(),
    () => undefined, // Read to the end.
  );
  untilAborted.catch(() => undefined);
  try {
    for (;;) {
      signal.throwIfAborted();
      const fetched = client.query<Order>(`FETCH ${batchSize} FROM orders`);
      // A statement that is waited for no longer ends with its connection.
      fetched.catch(() => undefined);
      const { rows } = (await Promise.race([fetched, untilAborted]))!;
      if (rows.length > 0) yield rows;
      if (rows.length < batchSize) return;
    }
  } finally {
    aborted.abort();
  }
}

const spanStatement = new Statement<{ first: Date | null; last: Date | null }>(
  'span_of_orders',
  `SELECT min(placed_at) AS first, max(placed_at) AS last ${ofPeriod}`,
);

/** @returns the sections of a period, from its first order to its last; one empty section where there is none */
export async function sectionsOfOrders(
  database: Database,
  { from, to }: OrderPeriod,
): Promise<[Section, ...Section[]]> {
  const [span] = await spanStatement.run(database, from ?? null, to);
  if (!span?.first || !span.last) return [{ from: (from ?? to).toISOString(), to: to.toISOString() }];
  const afterLast = new Date(span.last.getTime() + 1);
  return sectionsOf(span.first, afterLast < to ? afterLast : to);
}
