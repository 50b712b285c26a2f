import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';

/**
 * How long a migration waits for a lock, in milliseconds. Every request for the table queues behind it meanwhile, and a
 * caller of the API must not wait longer.
 */
export const lockTimeoutMs = 1_000;

const firstRetryMs = 500;
const longestRetryMs = 10_000;
const giveUpMs = 5 * 60_000;
const lookEveryMs = 200;

/** A transaction that holds a lock that the migration waits for. */
interface Blocker {
  readonly pid: number;
  readonly name: string;
  readonly state: string;
  readonly seconds: number;
  readonly query: string;
}

/**
 * Repeats a step of the migration until no lock blocks it. Between two tries the queued requests run.
 * @param look a separate pool, to find out which transactions block the step
 * @param application the name of the step's sessions in pg_stat_activity
 * @throws Error that names the blocking transactions, when they still block after five minutes
 */
export async function pastLocks<Result>(
  look: Pool,
  application: string,
  step: () => Promise<Result>,
  say: (line: string) => void,
): Promise<Result> {
  const giveUpAt = performance.now() + giveUpMs;
  for (let retryInMs = firstRetryMs; ; retryInMs = Math.min(2 * retryInMs, longestRetryMs)) {
    const watch = watchBlockers(look, application);
    try {
      return await step();
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      const blockers = await watch.stop();
      const why = `a lock was not available within ${lockTimeoutMs} ms. ${describe(blockers)}`;
      if (performance.now() + retryInMs > giveUpAt) {
        throw new Error(`${why} Nothing was changed. End these transactions, and start again.`, { cause: error });
      }
      say(`${why} It tries again in ${retryInMs} ms.`);
      await delay(retryInMs);
    } finally {
      await watch.stop();
    }
  }
}

/** The schema engine passes on the server's message; the driver has its code. */
export function isLockTimeout(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return code === '55P03' || /55P03|due to lock timeout/.test(String(message));
}

function describe(blockers: readonly Blocker[]): string {
  if (blockers.length === 0) return 'The transaction that held it has ended meanwhile.';
  const each = blockers.map(
    ({ pid, name, state, seconds, query }) =>
      `pid ${pid} (${name || 'no name'}, ${state}, its transaction open for ${seconds} s, ${JSON.stringify(query)})`,
  );
  return `It is held by ${each.join(' and ')}: SELECT pg_terminate_backend(${blockers[0]!.pid}) ends it.`;
}

/** Blocking transactions are visible only while a session waits for them. */
function watchBlockers(pool: Pool, application: string): { stop(): Promise<readonly Blocker[]> } {
  const stopped = new AbortController();
  let seen: readonly Blocker[] = [];
  const looking = (async () => {
    while (!stopped.signal.aborted) {
      await delay(lookEveryMs, undefined, { signal: stopped.signal }).catch(() => undefined);
      const { rows } = await pool
        .query<Blocker>(
          `SELECT pid, application_name AS name, state, left(query, 80) AS query,
                  coalesce(round(extract(epoch FROM now() - xact_start)), 0)::int AS seconds
             FROM pg_stat_activity
            WHERE pid IN (SELECT unnest(pg_blocking_pids(waiting.pid)) FROM pg_stat_activity waiting
                           WHERE waiting.application_name = $1 AND waiting.wait_event_type = 'Lock')`,
          [application],
        )
        .catch(() => ({ rows: [] }));
      if (rows.length > 0) seen = rows;
    }
  })();
  return {
    stop: async () => {
      stopped.abort();
      await looking;
      return seen;
    },
  };
}
