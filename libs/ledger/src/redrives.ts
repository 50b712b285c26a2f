import { recordAction } from './audit';
import { redrive } from './jobs/redrive';
import { statement, type Database } from './statement';

/** A redrive of many dead letters, some per second. */
export interface Redrive {
  readonly id: string;
  /** `stopped`: by itself, because most of its jobs failed again. */
  readonly state: 'running' | 'paused' | 'stopped' | 'finished' | 'cancelled';
  readonly kind: string | null;
  readonly broker: string | null;
  readonly reason: string | null;
  readonly tenant: string | null;
  /** It redrives the dead letters that are older. */
  readonly before: Date;
  readonly perSecond: number;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly redriven: number;
  readonly refused: number;
  /** Of the jobs that it redrove, after a stop only since then, the last `judgedJobs` that have ended or are retried. */
  readonly completed: number;
  readonly failing: number;
  /** How many of the jobs that it redrove have not ended. */
  readonly open: number;
}

/** By how many of its jobs a redrive judges whether to go on. */
export const judgedJobs = 100;

/** Fewer jobs than this say nothing about the others. */
export const enoughJobs = 10;

/** While this many of its jobs have not ended, a redrive takes no more. */
export const mostOpenJobs = 500;

/**
 * How the jobs of a redrive fare, as a row with `completed`, `failing` and `open`. A job that waits for a retry counts as
 * failing: with a long back-off it would end too late to stop anything.
 * @param of the row of the redrive
 */
const outcomeOf = (of: string) => `LATERAL (
       WITH mine AS (
         SELECT job.state, job.attempt, coalesce(job.finished_at, job.run_at) AS at, redriven_at
           FROM (SELECT job_id, redriven_at FROM dead_letter WHERE redrive_id = ${of}.id
                  ORDER BY redriven_at DESC LIMIT ${2 * mostOpenJobs}) latest
           JOIN job ON job.id = latest.job_id
       ), judged AS (
         SELECT state FROM mine
          WHERE redriven_at >= ${of}.judged_since
            AND (state IN ('completed', 'failed') OR state = 'queued' AND attempt > 0)
          ORDER BY at DESC LIMIT ${judgedJobs}
       )
       SELECT (SELECT count(*) FROM judged WHERE state = 'completed')::int AS completed,
              (SELECT count(*) FROM judged WHERE state <> 'completed')::int AS failing,
              (SELECT count(*) FROM mine WHERE state IN ('waiting', 'queued', 'active'))::int AS open
     ) outcome`;

const columns = `redrive.id, redrive.state, kind, broker, reason, of_tenant AS tenant, before, per_second AS "perSecond",
          created_by AS "createdBy", created_at AS "createdAt", redriven, refused, completed, failing, open`;

/**
 * Begins a redrive of all dead letters that match and exist now.
 * @returns its id; no row when one with the same filter runs or is paused
 */
export const beginRedrive = statement<{ id: string }>('redrive_begin').with(
  {
    kind: 'text?',
    broker: 'text?',
    reason: 'text?',
    tenant: 'text?',
    after: 'timestamptz?',
    before: 'timestamptz?',
    perSecond: 'smallint',
    by: 'text',
  },
  ($) => `WITH begun AS (
     INSERT INTO redrive (kind, broker, reason, of_tenant, cursor_at, before, per_second, created_by)
     SELECT ${$.kind}, ${$.broker}, ${$.reason}, ${$.tenant}, coalesce(${$.after}, '-infinity'),
            least(now(), ${$.before}), ${$.perSecond}, ${$.by}
     ON CONFLICT DO NOTHING
     RETURNING id, kind, broker, reason, of_tenant, before, per_second
   ), audited AS (
     ${recordAction('redrive.begin', $.by, 'id', "to_jsonb(begun) - 'id'", 'FROM begun')}
   )
   SELECT id FROM begun`,
);

export const readRedrive = statement<Redrive>('redrive_read').with(
  { id: 'uuid' },
  ($) => `SELECT ${columns} FROM redrive, ${outcomeOf('redrive')} WHERE redrive.id = ${$.id}`,
);

/** Lists redrives, newest first, 20 at most. */
export const listRedrives = statement<Redrive>('redrive_list').text(
  `SELECT ${columns}
     FROM (SELECT * FROM redrive ORDER BY created_at DESC, id LIMIT 20) redrive, ${outcomeOf('redrive')}
    ORDER BY created_at DESC, redrive.id`,
);

/**
 * Changes the state of a redrive when it is one of `from`.
 * @returns its state from before; no row when it does not exist
 * @throws the database's error 23505 when it would run beside another one with the same filter
 */
export const setRedriveState = statement<{ was: Redrive['state'] }>('redrive_set_state').with(
  { id: 'uuid', to: 'text', from: 'text[]', by: 'text' },
  ($) => `WITH found AS (
     SELECT id, state FROM redrive WHERE id = ${$.id} FOR UPDATE
   ), changed AS (
     UPDATE redrive
        SET state = ${$.to},
            judged_since = CASE WHEN found.state = 'stopped' AND ${$.to} = 'running' THEN now() ELSE judged_since END
       FROM found
      WHERE redrive.id = found.id AND found.state = ANY (${$.from})
     RETURNING redrive.id
   ), audited AS (
     ${recordAction('redrive.set_state', $.by, 'id', `jsonb_build_object('state', ${$.to})`, 'FROM changed')}
   )
   SELECT state AS was FROM found`,
);

interface Step {
  readonly id: string;
  readonly createdBy: string;
  readonly ids: readonly string[];
  readonly lastAt: string | null;
  readonly lastId: string | null;
  readonly completed: number;
  readonly failing: number;
  readonly open: number;
}

/** Takes the next second of a running redrive, which no other relay then has, with the dead letters after its cursor. */
const takeStep = statement<Step>('redrive_take_step').text(
  `WITH taken AS (
     UPDATE redrive SET step_at = now()
      WHERE id = (SELECT id FROM redrive WHERE state = 'running' AND step_at <= now() - interval '1 second'
                   ORDER BY step_at LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING *
   ), next AS (
     SELECT letter.id, letter.created_at
       FROM taken, LATERAL (
         SELECT id, created_at FROM dead_letter
          WHERE (created_at, id) > (taken.cursor_at, taken.cursor_id) AND created_at < taken.before
            AND redriven_at IS NULL AND discarded_at IS NULL AND job_id IS NOT NULL
            AND (taken.kind IS NULL OR kind = taken.kind) AND (taken.broker IS NULL OR broker = taken.broker)
            AND (taken.reason IS NULL OR reason = taken.reason) AND (taken.of_tenant IS NULL OR tenant = taken.of_tenant)
          ORDER BY created_at, id
          LIMIT taken.per_second) letter
   )
   SELECT taken.id, created_by AS "createdBy",
          coalesce((SELECT array_agg(id ORDER BY created_at, id) FROM next), '{}') AS ids,
          (SELECT created_at::text FROM next ORDER BY created_at DESC, id DESC LIMIT 1) AS "lastAt",
          (SELECT id FROM next ORDER BY created_at DESC, id DESC LIMIT 1) AS "lastId",
          completed, failing, open
     FROM taken, ${outcomeOf('taken')}`,
);

const endStep = statement<never>('redrive_end_step').with(
  { id: 'uuid', state: 'text', cursorAt: 'timestamptz?', cursorId: 'uuid?', redriven: 'uuid[]', refused: 'int' },
  ($) => `WITH marked AS (
     UPDATE dead_letter SET redrive_id = ${$.id} WHERE id = ANY (${$.redriven})
   )
   UPDATE redrive
      SET state = CASE WHEN state = 'running' THEN ${$.state} ELSE state END,
          cursor_at = greatest(cursor_at, ${$.cursorAt}),
          cursor_id = CASE WHEN (${$.cursorAt}, ${$.cursorId}) > (cursor_at, cursor_id) THEN ${$.cursorId} ELSE cursor_id END,
          redriven = redriven + cardinality(${$.redriven}), refused = refused + ${$.refused}
    WHERE id = ${$.id}`,
);

/** What one step of a redrive did. */
export interface RedriveStep {
  readonly id: string;
  readonly state: Redrive['state'];
  readonly jobIds: readonly string[];
  readonly by: string;
}

/**
 * Carries out the next second of one running redrive. It stops by itself when at least `enoughJobs` of its last
 * `judgedJobs` jobs have ended or are retried, and more of them fail than are completed: what broke them is still broken.
 * It takes no more while `mostOpenJobs` of its jobs are open.
 * When the process dies in between, the next step begins at the same cursor and finds these dead letters redriven.
 * @returns undefined when no redrive has a second to carry out
 * @throws the database's error
 */
export async function stepRedrive(database: Database): Promise<RedriveStep | undefined> {
  const [step] = await takeStep.run(database);
  if (!step) return undefined;
  const { id, createdBy: by, ids, lastAt, lastId, completed, failing, open } = step;
  const isFailing = completed + failing >= enoughJobs && failing > completed;
  // It has ended when its last jobs have: until then it can still stop, so that a person sees that they fail.
  const state = isFailing ? 'stopped' : ids.length === 0 && open === 0 ? 'finished' : 'running';
  const isRunning = state === 'running';
  if (isRunning && (ids.length === 0 || open >= mostOpenJobs)) return { id, state, jobIds: [], by };
  const selection = { kind: undefined, broker: undefined, before: undefined, ids, by };
  const found = isRunning ? await redrive.run(database, selection) : [];
  const redriven = found.filter(({ becomes }) => becomes === 'redriven');
  await endStep.run(database, {
    id,
    state,
    cursorAt: isRunning ? lastAt : undefined,
    cursorId: isRunning ? lastId : undefined,
    redriven: redriven.map((letter) => letter.id),
    refused: found.length - redriven.length,
  });
  return { id, state, jobIds: redriven.map(({ jobId }) => jobId!), by };
}
