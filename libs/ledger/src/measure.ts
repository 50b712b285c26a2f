import { pausedQueues } from './jobs/sql-parts';
import { statement } from './statement';

/** Jobs that have not ended, of one kind on one broker. */
export interface OpenJobs {
  readonly kind: string;
  readonly queue: string;
  readonly broker: string;
  /**
   * `waiting` for other jobs, `scheduled` for later, `due` (queued, and the time has come), `paused` (due, in a paused
   * queue) or `active`.
   */
  readonly state: 'waiting' | 'scheduled' | 'due' | 'paused' | 'active';
  readonly count: number;
  /** Seconds since the oldest of them was due; 0 for scheduled jobs. */
  readonly oldestSeconds: number;
}

/** Counts the jobs that have not ended. Reads each of them, so it is for a report every few seconds. */
export const measureOpenJobs = statement<OpenJobs>('measure_open_jobs').text(
  `SELECT kind, queue, broker, CASE WHEN state <> 'queued' THEN state::text WHEN run_at > now() THEN 'scheduled'
               WHEN queue = ANY (${pausedQueues}) THEN 'paused' ELSE 'due' END AS state,
          count(*)::int AS count, greatest(0, extract(epoch FROM now() - min(run_at)))::float8 AS "oldestSeconds"
     FROM job WHERE state IN ('waiting', 'queued', 'active')
    GROUP BY 1, 2, 3, 4`,
);

/** Counts the messages of jobs in the outbox by broker. Those of a paused queue are for later. */
export const measureOutbox = statement<{ broker: string; due: number; later: number; oldestSeconds: number }>(
  'measure_outbox',
).text(
  `SELECT broker, (count(*) FILTER (WHERE is_due))::int AS due, (count(*) FILTER (WHERE NOT is_due))::int AS later,
          greatest(0, extract(epoch FROM now() - min(publish_at) FILTER (WHERE is_due)))::float8 AS "oldestSeconds"
     FROM (SELECT broker, publish_at, publish_at <= now() AND queue <> ALL (${pausedQueues}) AS is_due FROM outbox) measured
    GROUP BY broker`,
);

/** Counts the events that are still to be published, by kind. */
export const measureEventOutbox = statement<{ kind: string; count: number; oldestSeconds: number }>(
  'measure_event_outbox',
).text(
  `SELECT kind, count(*)::int AS count, greatest(0, extract(epoch FROM now() - min(at)))::float8 AS "oldestSeconds"
     FROM event_outbox GROUP BY kind`,
);

/**
 * Counts the dead letters that were neither redriven nor discarded, by queue. `isJob`: a failed job; false: a message that
 * cannot be read.
 */
export const measureDeadLetters = statement<{ broker: string; queue: string; isJob: boolean; count: number }>(
  'measure_dead_letters',
).text(
  `SELECT broker, queue, job_id IS NOT NULL AS "isJob", count(*)::int AS count
     FROM dead_letter WHERE redriven_at IS NULL AND discarded_at IS NULL
    GROUP BY 1, 2, 3`,
);
