import type { JobState } from '@app/contracts';
import type { JobError } from './jobs/settle';
import { statement, statementVariants, type Database } from './statement';

/** A message that could not be read, with its original bytes. */
export interface UnreadableMessage {
  readonly broker: string;
  readonly queue: string;
  readonly kind: string | undefined;
  /** A stable code, such as `malformed` or `unknown_kind`. */
  readonly reason: string;
  readonly detail: string;
  readonly raw: Buffer;
  /** The sender as the message names it (CloudEvents `source`); undefined where that could not be read. */
  readonly source: string | undefined;
}

/** Stores a message as a dead letter, with its bytes. */
export const deadLetter = statement<never>('dead_letter_insert').with(
  { broker: 'text', queue: 'text', kind: 'text?', reason: 'text', detail: 'text', raw: 'bytea', source: 'text?' },
  ($) => `INSERT INTO dead_letter (broker, queue, kind, reason, detail, raw, source)
   VALUES (${$.broker}, ${$.queue}, ${$.kind}, ${$.reason}, ${$.detail}, ${$.raw}, ${$.source})`,
);

/** How many bytes of a message a list shows. `readDeadLetterRaw` returns all bytes of one message. */
export const shownRawBytes = 1_024;

/** How many characters of a text a list shows. Handlers and other services write these texts, at any length. */
const shownCharacters = 1_000;

/** A dead letter: a job that failed for good, or a message that could not be read. Only a message has `raw`. */
export interface DeadLetter {
  readonly id: string;
  readonly broker: string;
  readonly queue: string;
  readonly jobId: string | null;
  readonly tenant: string | null;
  readonly kind: string | null;
  readonly reason: string;
  readonly detail: string;
  readonly source: string | null;
  /** The first `shownRawBytes` bytes of the message. */
  readonly raw: Buffer | null;
  /** How many bytes of the message are kept. */
  readonly rawBytes: number | null;
  readonly createdAt: Date;
  readonly redrivenAt: Date | null;
  readonly redrivenBy: string | null;
  /** The job with another payload by which it was redriven. */
  readonly redrivenAs: string | null;
  readonly discardedAt: Date | null;
  readonly discardedBy: string | null;
  readonly discardReason: string | null;
}

const columns = `id, broker, queue, job_id AS "jobId", tenant, left(kind, ${shownCharacters}) AS kind, reason,
          left(detail, ${shownCharacters}) AS detail, left(source, ${shownCharacters}) AS source,
          substring(raw FOR ${shownRawBytes}) AS raw, octet_length(raw) AS "rawBytes", created_at AS "createdAt",
          redriven_at AS "redrivenAt", redriven_by AS "redrivenBy", redriven_as AS "redrivenAs",
          discarded_at AS "discardedAt", discarded_by AS "discardedBy", discard_reason AS "discardReason"`;

/** A search looks at this many dead letters, the newest of the list without it. */
export const searchedLetters = 10_000;

/**
 * Lists dead letters, newest first. Each one is a few kilobytes at most. A search looks
 * for the text anywhere in kind, reason, detail, source and the id of the job, in either case. Another service may have written the kind, at any
 * length, so the index covers only its first 100 characters.
 */
export const listDeadLetters = statementVariants<DeadLetter>((given) => ['dead_letters', ...given].join('_')).with(
  { limit: 'int' },
  { kind: 'text', broker: 'text', isRedriven: 'boolean', isDiscarded: 'boolean', search: 'text', before: 'uuid' },
  ($) => {
    const conditions = [
      $.kind && `left(kind, 100) = left(${$.kind}, 100) AND kind = ${$.kind}`,
      $.broker && `broker = ${$.broker}`,
      $.isRedriven && `(redriven_at IS NOT NULL) = ${$.isRedriven}`,
      $.isDiscarded && `(discarded_at IS NOT NULL) = ${$.isDiscarded}`,
      $.before && `(created_at, id) < (SELECT created_at, id FROM dead_letter WHERE id = ${$.before})`,
    ].filter((condition) => condition !== undefined);
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
    const newest = 'ORDER BY created_at DESC, id DESC LIMIT';
    if ($.search === undefined) return `SELECT ${columns} FROM dead_letter ${where} ${newest} ${$.limit}`;
    return `SELECT ${columns} FROM (SELECT * FROM dead_letter ${where} ${newest} ${searchedLetters}) latest
             WHERE strpos(lower(concat_ws(' ', kind, reason, detail, source, job_id)), lower(${$.search})) > 0
             ${newest} ${$.limit}`;
  },
);

/** One error of a job that failed, or that was retried. */
export interface RecordedError {
  readonly at: Date;
  readonly attempt: number;
  readonly error: JobError;
}

/** A dead letter with its job. */
export interface DeadLetterDetail extends DeadLetter {
  /** null for a message that could not be read, and for a job that was deleted. */
  readonly payload: unknown;
  /** The job's state now. */
  readonly state: JobState | null;
  /** The errors of all attempts, also of those before a redrive, in their order: the last 100. */
  readonly errors: readonly RecordedError[];
  /** The dead letter whose payload was changed into this job's. */
  readonly redrivenFrom: string | null;
}

const detailStatement = statement<Omit<DeadLetterDetail, 'errors'>>('dead_letter_detail').with(
  { id: 'uuid' },
  ($) => `SELECT letter.*, job.payload, job.state,
          (SELECT earlier.id FROM dead_letter earlier WHERE earlier.redriven_as = letter."jobId") AS "redrivenFrom"
     FROM (SELECT ${columns} FROM dead_letter WHERE id = ${$.id}) letter
     LEFT JOIN job ON job.id = letter."jobId"`,
);

/** A redrive records the old error once more, with attempt 0. */
const errorsStatement = statement<RecordedError>('dead_letter_errors').with(
  { jobId: 'uuid' },
  ($) => `SELECT at, (data->>'attempt')::int AS attempt, data->'error' AS error
     FROM (SELECT at, sequence, data FROM job_update
            WHERE job_id = ${$.jobId} AND type = 'state' AND data ? 'error' AND data->'attempt' <> '0'
            ORDER BY sequence DESC LIMIT 100) latest
    ORDER BY sequence`,
);

/** @returns undefined when there is no such dead letter */
export async function readDeadLetter(database: Database, id: string): Promise<DeadLetterDetail | undefined> {
  const [letter] = await detailStatement.run(database, { id });
  if (!letter) return undefined;
  const errors = letter.jobId === null ? [] : await errorsStatement.run(database, { jobId: letter.jobId });
  return { ...letter, errors };
}

const rawStatement = statement<{ raw: Buffer | null }>('dead_letter_raw').with(
  { id: 'uuid' },
  ($) => `SELECT raw FROM dead_letter WHERE id = ${$.id}`,
);

/**
 * @returns all kept bytes of the message, 1 MiB at most; undefined when the dead letter does not exist or has no bytes
 */
export async function readDeadLetterRaw(database: Database, id: string): Promise<Buffer | undefined> {
  const [letter] = await rawStatement.run(database, { id });
  return letter?.raw ?? undefined;
}
