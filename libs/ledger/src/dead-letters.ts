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
}

const columns = `id, broker, queue, job_id AS "jobId", tenant, left(kind, ${shownCharacters}) AS kind, reason,
          left(detail, ${shownCharacters}) AS detail, left(source, ${shownCharacters}) AS source,
          substring(raw FOR ${shownRawBytes}) AS raw, octet_length(raw) AS "rawBytes", created_at AS "createdAt",
          redriven_at AS "redrivenAt", redriven_by AS "redrivenBy"`;

/**
 * Lists dead letters, newest first. Each one is a few kilobytes at most. Another service may have written the kind, at any
 * length, so the index covers only its first 100 characters.
 */
export const listDeadLetters = statementVariants<DeadLetter>((given) => ['dead_letter_list', ...given].join('_')).with(
  { limit: 'int' },
  { kind: 'text', broker: 'text', isRedriven: 'boolean', before: 'uuid' },
  ($) => {
    const conditions = [
      $.kind && `left(kind, 100) = left(${$.kind}, 100) AND kind = ${$.kind}`,
      $.broker && `broker = ${$.broker}`,
      $.isRedriven && `(redriven_at IS NOT NULL) = ${$.isRedriven}`,
      $.before && `(created_at, id) < (SELECT created_at, id FROM dead_letter WHERE id = ${$.before})`,
    ].filter((condition) => condition !== undefined);
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
    return `SELECT ${columns} FROM dead_letter ${where} ORDER BY created_at DESC, id DESC LIMIT ${$.limit}`;
  },
);

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
