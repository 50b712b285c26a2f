import { statement, type Database } from './statement';

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

const insertStatement = statement<never>('dead_letter_insert').with(
  { broker: 'text', queue: 'text', kind: 'text?', reason: 'text', detail: 'text', raw: 'bytea', source: 'text?' },
  ($) => `INSERT INTO dead_letter (broker, queue, kind, reason, detail, raw, source)
   VALUES (${$.broker}, ${$.queue}, ${$.kind}, ${$.reason}, ${$.detail}, ${$.raw}, ${$.source})`,
);

/** Stores a message as a dead letter, with its bytes. */
export async function deadLetter(database: Database, message: UnreadableMessage): Promise<void> {
  await insertStatement.run(database, message);
}

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

export interface DeadLetterQuery {
  readonly kind: string | undefined;
  readonly broker: string | undefined;
  readonly isRedriven: boolean | undefined;
  /** The id of the last dead letter on the previous page. */
  readonly before: string | undefined;
}

const parameters = { limit: 'int', kind: 'text?', broker: 'text?', isRedriven: 'boolean?', before: 'uuid?' } as const;

/** Another service may have written the kind, at any length, so the index covers only its first 100 characters. */
const conditions: Readonly<Record<keyof DeadLetterQuery, (value: string) => string>> = {
  kind: (value) => `left(kind, 100) = left(${value}, 100) AND kind = ${value}`,
  broker: (value) => `broker = ${value}`,
  isRedriven: (value) => `(redriven_at IS NOT NULL) = ${value}`,
  before: (value) => `(created_at, id) < (SELECT created_at, id FROM dead_letter WHERE id = ${value})`,
};

const filters = Object.keys(conditions) as (keyof DeadLetterQuery)[];

/**
 * Each combination of conditions has its own statement, so that the plan that PostgreSQL keeps uses every condition. A
 * statement ignores the values of the conditions that it does not have.
 */
const listStatements = new Map(
  filters
    .reduce<(typeof filters)[]>((sets, filter) => [...sets, ...sets.map((set) => [...set, filter])], [[]])
    .map((given) => [nameOf(given), listStatement(given)]),
);

function nameOf(given: typeof filters): string {
  return ['dead_letter_list', ...given].join('_');
}

function listStatement(given: typeof filters) {
  const own = Object.fromEntries((['limit', ...given] as const).map((key) => [key, parameters[key]]));
  return statement<DeadLetter>(nameOf(given)).with(own as typeof parameters, ($) => {
    const where = given.map((filter) => conditions[filter]($[filter])).join(' AND ');
    return `SELECT ${columns} FROM dead_letter ${where && `WHERE ${where}`} ORDER BY created_at DESC, id DESC LIMIT ${$.limit}`;
  });
}

/** Lists dead letters, newest first. Each one is a few kilobytes at most. */
export async function listDeadLetters(
  database: Database,
  query: DeadLetterQuery & { readonly limit: number },
): Promise<DeadLetter[]> {
  const given = filters.filter((filter) => query[filter] !== undefined);
  return listStatements.get(nameOf(given))!.run(database, query);
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
