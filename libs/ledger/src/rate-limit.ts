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
 * Reserves the next start times of a queue. All processes share one sequence of start times. They are evenly spaced, so
 * no period exceeds the limit, whenever the period begins (virtual scheduling, ITU-T I.371, without a burst).
 * @param forMs the number of starts times the space between two, in milliseconds
 * @returns milliseconds until the first of them, by the database's clock
 */
export async function reserveStarts(database: Database, queue: string, forMs: number): Promise<number> {
  const [row] = await reserveStatement.run(database, { queue, forMs });
  return Math.max(0, row!.waitMs);
}
