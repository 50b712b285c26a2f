import type { Pool, PoolClient } from 'pg';
import { withClient } from '../ledger-pool';
import { statement } from '../statement';
import { deadLetterFailed, issueDispatch, recordEnds } from './sql-parts';

export interface SweptJob {
  readonly id: string;
  readonly kind: string;
  readonly state: 'queued' | 'failed' | 'cancelled';
  readonly attempt: number;
}

/** What a sweep has seen of the server's clock. */
export interface ServerClock {
  /** Milliseconds since 1970 by the server's clock, at the start of the sweep's transaction. */
  readonly now: number;
  /** When the server process started, in milliseconds since 1970. Changes with a restart, a failover or a restore. */
  readonly startedAt: number;
  /** Milliseconds from BEGIN until the transaction has its locks. */
  readonly tookMs: number;
}

export interface Sweep {
  readonly swept: readonly SweptJob[];
  /** Ids of jobs with an expired lease whose row another transaction holds: their worker cannot renew the lease. */
  readonly locked: readonly string[];
}

/**
 * Sweeps jobs with an expired lease. A job with attempts left goes back into the outbox with the next dispatch, which
 * fences the old worker. A job with no attempts left is dead-lettered, for example one that kills its worker each time.
 * A job with a requested cancel is cancelled.
 */
const sweepStatement = statement<Omit<SweptJob, 'state'> & { state: SweptJob['state'] | 'active' }>('sweep').with(
  { agreed: 'boolean', spared: 'uuid[]' },
  ($) => `WITH free AS (
     SELECT id, (CASE WHEN cancel_requested THEN 'cancelled' WHEN attempt < max_attempts THEN 'queued'
                      ELSE 'failed' END)::job_state AS becomes
       FROM job
      WHERE state = 'active' AND lease_until < now()
      ORDER BY id
      LIMIT 500
        FOR UPDATE SKIP LOCKED
   ), expired AS (
     SELECT * FROM free WHERE ${$.agreed} AND id <> ALL (${$.spared})
   ), swept AS (
     UPDATE job
        SET state = becomes,
            dispatch = dispatch + 1,
            sequence = sequence + 1,
            run_at = now(),
            lease_until = NULL,
            finished_at = CASE WHEN becomes = 'queued' THEN NULL ELSE now() END,
            error = jsonb_build_object('code', 'lease_expired',
              'message', 'The worker of attempt ' || attempt || ' fell silent: it died, or was cut off, before it settled.')
       FROM expired
      WHERE job.id = expired.id
     RETURNING job.*
   ), dispatched AS (
     ${issueDispatch("swept WHERE state = 'queued'")}
   ), buried AS (
     ${deadLetterFailed("swept WHERE state = 'failed'")}
   ), ${recordEnds('swept')}
   SELECT id, kind, state, attempt FROM swept
   UNION ALL
   SELECT id, kind, state, attempt FROM job
    WHERE state = 'active' AND lease_until < now()
      AND (SELECT count(*) FROM free) < 500 AND id NOT IN (SELECT id FROM free)`,
);

const clockStatement = statement<Omit<ServerClock, 'tookMs'>>('sweep_clock').text(
  `SELECT extract(epoch FROM now())::float8 * 1000 AS now,
          extract(epoch FROM pg_postmaster_start_time())::float8 * 1000 AS "startedAt"`,
);

/**
 * Sweeps in one transaction. `now()` is the time of its BEGIN and does not change. So the leases are compared with the
 * time that `agrees` has seen, even when the server stalls in between.
 * @param spared ids of jobs that this sweep leaves out
 * @param agrees decides by the server's clock whether to sweep now
 * @returns the swept jobs, none when `agrees` returns false, and the jobs with an expired lease whose row another
 *   transaction has locked (none of these when the sweep has reached its limit of 500)
 * @throws the server's error 55P03, without waiting, when another transaction holds, or waits for, a table lock that keeps
 *   workers from renewing their leases
 */
export async function sweepExpiredLeases(
  pool: Pool,
  spared: readonly string[],
  agrees: (clock: ServerClock) => boolean,
): Promise<Sweep> {
  return withClient(pool, async (client) => {
    const sweep = await sweepIn(client, spared, agrees);
    await client.query('COMMIT');
    return sweep;
  });
}

async function sweepIn(
  client: PoolClient,
  spared: readonly string[],
  agrees: (clock: ServerClock) => boolean,
): Promise<Sweep> {
  const beganAt = performance.now();
  await client.query('BEGIN');
  // Takes the table locks of a heartbeat and of the sweep, or fails at once. A sweep that waited would get its locks at
  // the moment when the waiting heartbeats get theirs, and would race against these.
  await client.query('LOCK TABLE job, outbox, job_update, dead_letter, event_outbox IN ROW EXCLUSIVE MODE NOWAIT');
  const [clock] = await clockStatement.run(client);
  const agreed = agrees({ ...clock!, tookMs: performance.now() - beganAt });
  const rows = await sweepStatement.run(client, { agreed, spared });
  return {
    swept: rows.filter((row): row is SweptJob => row.state !== 'active'),
    locked: rows.filter(({ state }) => state === 'active').map(({ id }) => id),
  };
}
