import { recordAction } from './audit';
import { redrive } from './jobs/redrive';
import { statement, type Database } from './statement';

/** A redrive of many dead letters, some per second. */
export interface Redrive {
  readonly id: string;
  /** `stopped`: by itself, because most of its jobs failed again. */
  readonly state: 'running' | 'paused' | 'stopped' | 'finished';
  readonly kind: string | null;
  readonly broker: string | null;
  /** It redrives the dead letters that are older. */
  readonly before: Date;
  readonly perSecond: number;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly redriven: number;
  readonly refused: number;
  /** How many of the last `judgedJobs` jobs that it redrove since its begin or resume are completed, or failed again. */
  readonly completed: number;
  readonly failedAgain: number;
}

/** How many of the jobs that it redrove last a redrive looks at before it goes on. */
export const judgedJobs = 100;

/** Fewer ended jobs than this say nothing about the others. */
export const enoughJobs = 10;

const outcomes = (of: string, state: string) => `(SELECT count(*) FILTER (WHERE job.state = '${state}')::int
            FROM (SELECT job_id FROM dead_letter WHERE redrive_id = ${of}.id AND redriven_at >= ${of}.judged_since
                   ORDER BY redriven_at DESC LIMIT ${judgedJobs}) latest
            JOIN job ON job.id = latest.job_id)`;

const columns = `redrive.id, redrive.state, redrive.kind, redrive.broker, redrive.before, per_second AS "perSecond",
          created_by AS "createdBy", redrive.created_at AS "createdAt", redriven, refused,
          ${outcomes('redrive', 'completed')} AS completed, ${outcomes('redrive', 'failed')} AS "failedAgain"`;

/** Begins a redrive of all dead letters that match and exist now. @returns its id */
export const beginRedrive = statement<{ id: string }>('redrive_begin').with(
  { kind: 'text?', broker: 'text?', before: 'timestamptz?', perSecond: 'smallint', by: 'text' },
  ($) => `WITH begun AS (
     INSERT INTO redrive (kind, broker, before, per_second, created_by)
     SELECT ${$.kind}, ${$.broker}, least(now(), ${$.before}), ${$.perSecond}, ${$.by}
     RETURNING id, kind, broker, before, per_second
   ), audited AS (
     ${recordAction('redrive.begin', $.by, 'id', "to_jsonb(begun) - 'id'", 'FROM begun')}
   )
   SELECT id FROM begun`,
);

export const readRedrive = statement<Redrive>('redrive_read').with(
  { id: 'uuid' },
  ($) => `SELECT ${columns} FROM redrive WHERE id = ${$.id}`,
);

/** Lists redrives, newest first, 100 at most. */
export const listRedrives = statement<Redrive>('redrive_list').text(
  `SELECT ${columns} FROM redrive ORDER BY redrive.created_at DESC, redrive.id LIMIT 100`,
);

/**
 * Pauses a running redrive, or resumes one that was paused or has stopped.
 * @returns no row when it does not exist; its state from before
 */
export const setRedriveState = statement<{ was: Redrive['state'] }>('redrive_set_state').with(
  { id: 'uuid', to: 'text', from: 'text[]', by: 'text' },
  ($) => `WITH found AS (
     SELECT id, state FROM redrive WHERE id = ${$.id} FOR UPDATE
   ), changed AS (
     UPDATE redrive
        SET state = ${$.to}, judged_since = CASE ${$.to} WHEN 'running' THEN now() ELSE judged_since END
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
  readonly failedAgain: number;
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
          ORDER BY created_at, id
          LIMIT taken.per_second) letter
   )
   SELECT taken.id, created_by AS "createdBy",
          coalesce((SELECT array_agg(id ORDER BY created_at, id) FROM next), '{}') AS ids,
          (SELECT created_at::text FROM next ORDER BY created_at DESC, id DESC LIMIT 1) AS "lastAt",
          (SELECT id FROM next ORDER BY created_at DESC, id DESC LIMIT 1) AS "lastId",
          ${outcomes('taken', 'completed')} AS completed, ${outcomes('taken', 'failed')} AS "failedAgain"
     FROM taken`,
);

const endStep = statement<never>('redrive_end_step').with(
  { id: 'uuid', state: 'text', cursorAt: 'timestamptz?', cursorId: 'uuid?', redriven: 'uuid[]', refused: 'int' },
  ($) => `WITH marked AS (
     UPDATE dead_letter SET redrive_id = ${$.id} WHERE id = ANY (${$.redriven})
   )
   UPDATE redrive
     SET state = CASE WHEN state = 'running' THEN ${$.state} ELSE state END,
         cursor_at = coalesce(${$.cursorAt}, cursor_at), cursor_id = coalesce(${$.cursorId}, cursor_id),
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
 * `judgedJobs` jobs have ended and more of them failed again than are completed: what broke them is still broken.
 * When the process dies in between, the next step begins at the same cursor and finds these dead letters redriven.
 * @returns undefined when no redrive has a second to carry out
 * @throws the database's error
 */
export async function stepRedrive(database: Database): Promise<RedriveStep | undefined> {
  const [step] = await takeStep.run(database);
  if (!step) return undefined;
  const { id, createdBy: by, ids, lastAt, lastId, completed, failedAgain } = step;
  const hasFailed = completed + failedAgain >= enoughJobs && failedAgain > completed;
  const nothing = { kind: undefined, broker: undefined, before: undefined };
  const found = hasFailed || ids.length === 0 ? [] : await redrive.run(database, { ...nothing, ids, by });
  const redriven = found.filter(({ becomes }) => becomes === 'redriven');
  const state = hasFailed ? 'stopped' : ids.length === 0 ? 'finished' : 'running';
  const moved = hasFailed ? {} : { cursorAt: lastAt, cursorId: lastId };
  const counts = { redriven: redriven.map((one) => one.id), refused: found.length - redriven.length };
  await endStep.run(database, { id, state, cursorAt: undefined, cursorId: undefined, ...moved, ...counts });
  return { id, state, jobIds: redriven.map(({ jobId }) => jobId!), by };
}
