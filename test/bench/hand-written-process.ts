import { Pool } from 'pg';
import { runContender } from './drain/contender';
import type { FinishLine } from './drain/finish-line';

/**
 * What a good engineer writes by hand to keep the same records as this system, and no more: claim, handle and settle,
 * each for a group of jobs. Two groups run at a time: the next one grows while these are written. A group is settled
 * when its slowest handler is done. In this point it is simpler than the library, and no worse for a handler that does
 * nothing. It uses nothing of the library except the names of its tables.
 */

/** Sets a job to active, unless the message is stale. Rows are locked in the order of their ids, to avoid deadlocks. */
const claimText = `
  WITH free AS (
    SELECT job.id
      FROM job JOIN unnest($1::uuid[], $2::int[]) AS wanted(id, dispatch) ON job.id = wanted.id
     WHERE job.dispatch = wanted.dispatch AND job.state = 'queued'
     ORDER BY job.id
       FOR UPDATE OF job
  ), claimed AS (
    UPDATE job
       SET state = 'active', attempt = attempt + 1, sequence = sequence + 1, started_at = now(),
           lease_until = now() + interval '15 seconds'
      FROM free
     WHERE job.id = free.id
    RETURNING job.tenant, job.id, job.dispatch, job.attempt, job.sequence, job.payload
  ), recorded AS (
    INSERT INTO job_update (tenant, job_id, sequence, type, data)
    SELECT tenant, id, sequence, 'state', jsonb_build_object('state', 'active', 'attempt', attempt) FROM claimed
  )
  SELECT id, dispatch, payload FROM claimed`;

const settleText = `
  WITH settled AS (
    UPDATE job
       SET state = 'completed', sequence = sequence + 1, finished_at = now(), lease_until = NULL, progress = 100,
           result = done.result::jsonb
      FROM unnest($1::uuid[], $2::int[], $3::text[]) AS done(id, dispatch, result)
     WHERE job.id = done.id AND job.dispatch = done.dispatch AND job.state = 'active'
    RETURNING job.id, kind, tenant, traceparent, attempt, sequence, finished_at
  ), recorded AS (
    INSERT INTO job_update (tenant, job_id, sequence, type, data)
    SELECT tenant, id, sequence, 'state', jsonb_build_object('state', 'completed', 'attempt', attempt) FROM settled
  ), deduped AS (
    INSERT INTO processed_message (consumer, message_id) SELECT kind, id FROM settled ON CONFLICT DO NOTHING
  )
  INSERT INTO event_outbox (kind, version, tenant, key, traceparent, data)
  SELECT 'job.finished', 1, tenant, id::text, traceparent,
         jsonb_build_object('id', id, 'kind', kind, 'state', 'completed', 'attempt', attempt, 'error', NULL,
                            'finishedAt', finished_at)
    FROM settled`;

interface Dispatch {
  readonly id: string;
  readonly dispatch: number;
}

interface Job extends Dispatch {
  readonly payload: unknown;
}

/** Messages that arrived together, until the last of them is done. */
interface Chunk {
  left: number;
  readonly done: () => void;
}

const concurrency = Number(process.env['BENCH_CONCURRENCY']);
/** A group size of 1, with more connections, shows the cost without groups. */
const groupSize = Number(process.env['BENCH_GROUP']);
const groupsAtOnce = Number(process.env['BENCH_GROUPS_AT_ONCE']);

const pool = new Pool({
  connectionString: process.env['DATABASE_URL'],
  options: '-c jit=off',
  max: groupsAtOnce,
  keepAlive: true,
});

function handle(job: Job, line: FinishLine): Promise<Record<string, never>> {
  if (typeof job.payload !== 'object') throw new Error(`Job ${job.id} has no payload.`);
  line.runs += 1;
  return Promise.resolve({});
}

function ledger(line: FinishLine) {
  const waiting: { readonly message: Dispatch; readonly chunk: Chunk }[] = [];
  let inHand = 0;
  let groups = 0;

  function begin(): void {
    while (groups < groupsAtOnce) {
      const group = waiting.splice(0, Math.min(groupSize, concurrency - inHand));
      if (group.length === 0) return;
      groups += 1;
      inHand += group.length;
      void work(group.map(({ message }) => message)).then(() => {
        for (const { chunk } of group) if ((chunk.left -= 1) === 0) chunk.done();
        groups -= 1;
        inHand -= group.length;
        line.passed(group.length);
        begin();
      });
    }
  }

  async function work(group: readonly Dispatch[]): Promise<void> {
    const { rows: jobs } = await pool.query<Job>({
      name: 'claim',
      text: claimText,
      values: [group.map(({ id }) => id), group.map(({ dispatch }) => dispatch)],
    });
    const results = await Promise.all(jobs.map((job) => handle(job, line)));
    await pool.query({
      name: 'settle',
      text: settleText,
      values: [
        jobs.map(({ id }) => id),
        jobs.map(({ dispatch }) => dispatch),
        results.map((result) => JSON.stringify(result)),
      ],
    });
  }

  return {
    take: (bodies: readonly unknown[]) =>
      new Promise<void>((resolve) => {
        const chunk = { left: bodies.length, done: resolve };
        for (const body of bodies) {
          const message = (Buffer.isBuffer(body) ? JSON.parse(body.toString()) : body) as Dispatch;
          waiting.push({ message, chunk });
        }
        // Other messages of this turn of the event loop join the group.
        setImmediate(begin);
      }),
    end: () => pool.end(),
  };
}

void runContender(ledger);
