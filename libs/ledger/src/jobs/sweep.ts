import type { Pool, PoolClient } from 'pg';
import { issueDispatch } from '../outbox/issue-dispatch';
import { Statement } from '../statement';
import { recordJobFinished } from './record-job-finished';
import { deadLetterFailed } from './dead-letter-failed';
import { recordState } from './record-state';
import { updateParents } from './update-parents';

export interface SweptJob {
  readonly id: string;
  readonly kind: string;
  readonly state: 'queued' | 'failed' | 'cancelled';
  readonly attempt: number;
}

/** What a sweep has seen of the server. */
export interface ServerClock {
  /** Milliseconds by the server's clock, at the start of the sweep. */
  readonly now: number;
  /** Another one after a restart, a failover or a restore. */
  readonly startedAt: number;
  /** Milliseconds from asking for a transaction to having its locks. */
  readonly tookMs: number;
}

export interface Sweep {
  readonly swept: readonly SweptJob[];
  /** Jobs whose lease has run out while another transaction holds their row: their worker cannot renew it. */
  readonly locked: readonly string[];
}

/**
 * Jobs whose worker has gone silent. One that has attempts left goes back into the outbox under the next
 * dispatch, which fences the silent worker off should it wake. One that has none left, because it takes its
 * worker down each time, is a dead letter; one that was asked to end, ends.
 */
const sweepStatement = new Statement<Omit<SweptJob, 'state'> & { state: SweptJob['state'] | 'active' }>(
  'sweep',
  `WITH free AS (
     SELECT id, (CASE WHEN cancel_requested THEN 'cancelled' WHEN attempt < max_attempts THEN 'queued'
                      ELSE 'failed' END)::job_state AS becomes
       FROM job
      WHERE state = 'active' AND lease_until < now()
      ORDER BY id
      LIMIT 500
        FOR UPDATE SKIP LOCKED
   ), expired AS (
     SELECT * FROM free WHERE id <> ALL ($1::uuid[])
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
   ), recorded AS (
     ${recordState('swept')}
   ), buried AS (
     ${deadLetterFailed("swept WHERE state = 'failed'")}
   ), announced AS (
     ${recordJobFinished('swept')}
   ), ${updateParents('swept')}
   SELECT id, kind, state, attempt FROM swept
   UNION ALL
   SELECT id, kind, state, attempt FROM job
    WHERE state = 'active' AND lease_until < now()
      AND (SELECT count(*) FROM free) < 500 AND id NOT IN (SELECT id FROM free)`,
);

const clockStatement = new Statement<Omit<ServerClock, 'tookMs'>>(
  'sweep_clock',
  `SELECT extract(epoch FROM now())::float8 * 1000 AS now,
          extract(epoch FROM pg_postmaster_start_time())::float8 * 1000 AS "startedAt"`,
);

/**
 * Sweeps in one transaction, whose `now()` is the time that leases are judged by and that the caller has agreed to: a
 * server that stands still between the two judges nothing by a later time.
 * @param spared ids of jobs that are not swept this time
 * @param agrees whether to sweep, by what the server's clock says
 * @throws the server's error at once (55P03) where another transaction keeps workers from renewing their leases, or waits to
 */
export async function sweepExpiredLeases(
  pool: Pool,
  spared: readonly string[],
  agrees: (clock: ServerClock) => boolean,
): Promise<Sweep> {
  const client = await pool.connect();
  let fault: Error | undefined;
  try {
    const sweep = await sweepIn(client, spared, agrees);
    await client.query('COMMIT');
    return sweep;
  } catch (error) {
    fault = error as Error;
    await client.query('ROLLBACK').then(
      () => (fault = undefined),
      () => undefined,
    );
    throw error;
  } finally {
    client.release(fault);
  }
}

async function sweepIn(
  client: PoolClient,
  spared: readonly string[],
  agrees: (clock: ServerClock) => boolean,
): Promise<Sweep> {
  const beganAt = performance.now();
  await client.query('BEGIN');
  // The locks that a heartbeat and the sweep itself take. In a queue for one, the sweep would leave it together with the
  // heartbeats and race against them.
  await client.query('LOCK TABLE job, outbox, job_event, dead_letter, event_outbox IN ROW EXCLUSIVE MODE NOWAIT');
  const [clock] = await clockStatement.run(client);
  if (!agrees({ ...clock!, tookMs: performance.now() - beganAt })) return { swept: [], locked: [] };
  const rows = await sweepStatement.run(client, spared);
  return {
    swept: rows.filter((row): row is SweptJob => row.state !== 'active'),
    locked: rows.filter(({ state }) => state === 'active').map(({ id }) => id),
  };
}
