import { statement, type Database } from './statement';

const reserveStatement = statement<{ waitMs: number }>('rate_limit_reserve').with(
  { queue: 'text', forMs: 'float8' },
  ($) => `INSERT INTO rate_limit AS turn (queue, next_at)
   VALUES (${$.queue}, now() + ${$.forMs} * interval '1 millisecond')
   ON CONFLICT (queue) DO UPDATE
      SET next_at = greatest(turn.next_at, now()) + ${$.forMs} * interval '1 millisecond'
   RETURNING extract(epoch FROM next_at - now())::float8 * 1000 - ${$.forMs} AS "waitMs"`,
);

/**
 * Reserves start times of a queue for the caller, over all processes. Start times are evenly spaced, so that no period
 * holds more starts than the limit, wherever it begins (the virtual scheduling algorithm, ITU-T I.371, without a
 * burst).
 * @param forMs how long the reserved start times take together, in milliseconds
 * @returns milliseconds until the first of them, by the database's clock
 */
export async function reserveStarts(database: Database, queue: string, forMs: number): Promise<number> {
  const [row] = await reserveStatement.run(database, { queue, forMs });
  return Math.max(0, row!.waitMs);
}
