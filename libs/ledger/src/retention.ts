import { statement, type Database } from './statement';

/** How many rows one statement looks at. */
export const retentionPage = 250;

/** Milliseconds after which rows are deleted; undefined: never. */
export interface RetentionAges {
  /** After the end of a job that is completed or cancelled. */
  readonly endedMs: number | undefined;
  /** After the end of a failed job, and after the arrival of a dead-lettered message. */
  readonly failedMs: number | undefined;
  /** After an event was handled. Must be longer than a broker can redeliver it. */
  readonly dedupeMs: number | undefined;
  /** After an operator's action, and after the begin of a redrive that has ended. */
  readonly auditMs: number | undefined;
}

/** Deletes nothing. */
export const keepForever: RetentionAges = {
  endedMs: undefined,
  failedMs: undefined,
  dedupeMs: undefined,
  auditMs: undefined,
};

/** What a walk did with one page. */
export interface WalkedPage {
  readonly deleted: number;
  /** The last id that it looked at; null when there was none. */
  readonly last: string | null;
}

/** The parameters of a statement that begins with `pageById`. */
export const pageParameters = { after: 'uuid', endedMs: 'bigint', failedMs: 'bigint' } as const;

/** Their values. @param after the cursor, by `walkById` */
export const pageAfter = (after: string, { endedMs = neverMs, failedMs = neverMs }: RetentionAges) => ({
  after,
  endedMs,
  failedMs,
});

/**
 * The SQL of the next rows of a table, in the order of their UUIDv7, which is that of time. Rows that are younger than both
 * ages are not looked at. Below 1970 there are no such ids, so an age of a century matches nothing.
 */
export const pageById = (
  table: string,
  id: string,
  columns: string,
  $: Readonly<Record<keyof typeof pageParameters, string>>,
): string => `SELECT ${columns} FROM ${table}
      WHERE ${id} > ${$.after}
        AND ${id} < (SELECT uuid_v7(greatest(now() - least(${$.endedMs}, ${$.failedMs}) * interval '1 millisecond', 'epoch')))
      ORDER BY ${id}
      LIMIT ${retentionPage}`;

/** The SQL condition that the job of a row is deleted. @param jobId a column of the CTE `page`, and of the row */
export const isWithoutJob = (jobId: string): string =>
  `${jobId} <> ALL (ARRAY(SELECT id FROM job WHERE id = ANY (ARRAY(SELECT ${jobId} FROM page))))`;

/**
 * The SQL parts that delete jobs with their updates, idempotency key, dedupe row and dead letter. The last one, `deleted`,
 * has their ids.
 *
 * `= ANY (ARRAY(…))` and no join: of a join with a thousand rows the planner may decide to read a table of some hundred
 * thousand rows from end to end, for every page. For an array it takes the index.
 * @param old the name of the rows with the jobs' `id` and `kind`
 */
export const deletionOf = (old: string): string => {
  const ids = `ANY (ARRAY(SELECT id FROM ${old}))`;
  return `updates AS (
     DELETE FROM job_update WHERE job_id = ${ids}
   ), keys AS (
     DELETE FROM idempotency_key WHERE job_id = ${ids}
   ), dedupe AS (
     DELETE FROM processed_message WHERE consumer = ANY (ARRAY(SELECT DISTINCT kind FROM ${old})) AND message_id = ${ids}
   ), letters AS (
     DELETE FROM dead_letter WHERE job_id = ${ids}
   ), deleted AS (
     DELETE FROM job WHERE id = ${ids}
     RETURNING id
   )`;
};

/**
 * Looks at the next jobs in the order of their ids, which is the order of acceptance, and deletes those that ended long
 * enough ago, with their updates, idempotency key, dedupe row and dead letter. A child stays while its parent exists: a
 * redrive of the parent reads its result. A row that another transaction has locked is skipped.
 *
 * A cursor, and not a search from the beginning: rows that stay longer, and index entries of deleted rows that VACUUM has
 * not removed yet, would be read again for each page.
 */
const deleteJobs = statement<WalkedPage>('retention_jobs').with(
  pageParameters,
  ($) => `WITH page AS (
     ${pageById('job', 'id', 'id', $)}
   ), old AS (
     SELECT id, kind FROM job
      WHERE id = ANY (ARRAY(SELECT id FROM page))
        AND (state IN ('completed', 'cancelled') AND finished_at < now() - ${$.endedMs} * interval '1 millisecond'
             OR state = 'failed' AND finished_at < now() - ${$.failedMs} * interval '1 millisecond')
        AND NOT EXISTS (SELECT FROM job parent WHERE parent.id = job.parent_id)
      ORDER BY id
        FOR UPDATE SKIP LOCKED
   ), ${deletionOf('old')}
   SELECT (SELECT count(*) FROM deleted)::int AS deleted, (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last`,
);

const deleteMessages = statement<{ id: string }>('retention_dead_letters').with(
  { failedMs: 'bigint' },
  ($) => `DELETE FROM dead_letter
    WHERE id = ANY (ARRAY(SELECT id FROM dead_letter
                           WHERE created_at < now() - ${$.failedMs} * interval '1 millisecond' AND job_id IS NULL
                           ORDER BY created_at, id LIMIT ${retentionPage} FOR UPDATE SKIP LOCKED))
   RETURNING id`,
);

/** The dedupe rows of jobs go with their jobs. */
const deleteDedupe = statement<{ deleted: number; consumer: string | null; messageId: string | null }>(
  'retention_dedupe',
).with(
  { consumer: 'text', messageId: 'uuid', dedupeMs: 'bigint' },
  ($) => `WITH page AS (
     SELECT consumer, message_id FROM processed_message
      WHERE (consumer, message_id) > (${$.consumer}, ${$.messageId})
      ORDER BY consumer, message_id
      LIMIT ${retentionPage}
   ), old AS (
     SELECT ctid FROM processed_message
      WHERE consumer = ANY (ARRAY(SELECT DISTINCT consumer FROM page))
        AND message_id = ANY (ARRAY(SELECT message_id FROM page))
        AND processed_at < now() - ${$.dedupeMs} * interval '1 millisecond'
        AND ${isWithoutJob('message_id')}
      ORDER BY consumer, message_id
        FOR UPDATE SKIP LOCKED
   ), deleted AS (
     DELETE FROM processed_message WHERE ctid = ANY (ARRAY(SELECT ctid FROM old))
     RETURNING 1
   ), last AS (
     SELECT consumer, message_id FROM page ORDER BY consumer DESC, message_id DESC LIMIT 1
   )
   SELECT (SELECT count(*) FROM deleted)::int AS deleted, (SELECT consumer FROM last) AS consumer,
          (SELECT message_id FROM last) AS "messageId"`,
);

const deleteAudit = statement<{ deleted: number }>('retention_audit').with(
  { auditMs: 'bigint' },
  ($) => `WITH entries AS (
     DELETE FROM audit_entry
      WHERE id = ANY (ARRAY(SELECT id FROM (SELECT id, at FROM audit_entry ORDER BY id LIMIT ${retentionPage}) oldest
                             WHERE at < now() - ${$.auditMs} * interval '1 millisecond'))
     RETURNING 1
   ), redrives AS (
     DELETE FROM redrive
      WHERE state NOT IN ('running', 'paused') AND created_at < now() - ${$.auditMs} * interval '1 millisecond'
   )
   SELECT count(*)::int AS deleted FROM entries`,
);

/** The id before every id. */
const firstId = '00000000-0000-0000-0000-000000000000';

/** Longer than any row is old. */
export const neverMs = 100 * 365 * 24 * 3_600 * 1_000;

/**
 * Deletes what is old, page by page. Yields the number of deleted rows after every page, and ends when it has reached rows
 * that are too young. Several may run at once.
 * @throws the database's error, or that of a file store
 */
export type RetentionWalk = (database: Database, ages: RetentionAges) => AsyncIterable<number>;

/** By what is deleted. */
export type RetentionWalks = Readonly<Record<string, RetentionWalk>>;

/**
 * Walks behind a cursor to the end, page by page.
 * @param walk deletes what is old in the page after an id
 */
export async function* walkById(walk: (after: string) => Promise<WalkedPage>): AsyncGenerator<number> {
  for (let after: string | null = firstId; after !== null;) {
    const { deleted, last }: WalkedPage = await walk(after);
    yield deleted;
    after = last;
  }
}

/**
 * Deletes from the beginning, page by page, until a page is not full: for tables in which every row before a young one is old.
 * @param deletePage deletes at most `size` rows, and resolves with their number
 */
export async function* walkWhileFull(deletePage: () => Promise<number>, size = retentionPage): AsyncGenerator<number> {
  for (let deleted = size; deleted === size;) {
    deleted = await deletePage();
    yield deleted;
  }
}

/** The tables of the ledger. */
export const ledgerRetention = {
  jobs: (database: Database, ages: RetentionAges) =>
    walkById(async (after) => (await deleteJobs.run(database, pageAfter(after, ages)))[0]!),

  deadLetters: (database: Database, { failedMs = neverMs }: RetentionAges) =>
    walkWhileFull(async () => (await deleteMessages.run(database, { failedMs })).length),

  audit: (database: Database, { auditMs = neverMs }: RetentionAges) =>
    walkWhileFull(async () => (await deleteAudit.run(database, { auditMs }))[0]!.deleted),

  async *dedupe(database: Database, { dedupeMs }: RetentionAges): AsyncGenerator<number> {
    let after: { consumer: string; messageId: string } | undefined = { consumer: '', messageId: firstId };
    while (dedupeMs !== undefined && after) {
      const [page]: { deleted: number; consumer: string | null; messageId: string | null }[] = await deleteDedupe.run(
        database,
        { ...after, dedupeMs },
      );
      yield page!.deleted;
      const { consumer, messageId } = page!;
      after = consumer === null || messageId === null ? undefined : { consumer, messageId };
    }
  },
} satisfies RetentionWalks;
