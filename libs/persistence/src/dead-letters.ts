import { Statement, type Database } from './statement';

/** A message that could not be read, kept as it came. */
export interface UnreadableMessage {
  readonly broker: string;
  readonly queue: string;
  readonly kind: string | undefined;
  /** A stable code, such as `malformed` or `unknown_kind`. */
  readonly reason: string;
  readonly detail: string;
  readonly raw: Buffer;
  /** The sender as the message names it (CloudEvents `source`), as far as it could be read. */
  readonly source: string | undefined;
}

const setAsideStatement = new Statement<never>(
  'dead_letter_set_aside',
  `INSERT INTO dead_letter (broker, queue, kind, reason, detail, raw, source) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
);

export async function setAside(database: Database, message: UnreadableMessage): Promise<void> {
  const { broker, queue, kind, reason, detail, raw, source } = message;
  await setAsideStatement.run(database, broker, queue, kind ?? null, reason, detail, raw, source ?? null);
}

/** What was set aside: a job that failed for good, or a message that could not be read; then `raw` has its bytes. */
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
  readonly raw: Buffer | null;
  readonly createdAt: Date;
  readonly redrivenAt: Date | null;
  readonly redrivenBy: string | null;
}

const listStatement = new Statement<DeadLetter>(
  'dead_letter_list',
  `SELECT id, broker, queue, job_id AS "jobId", tenant, kind, reason, detail, source, raw, created_at AS "createdAt",
          redriven_at AS "redrivenAt", redriven_by AS "redrivenBy"
     FROM dead_letter
    WHERE ($1::text IS NULL OR kind = $1)
      AND ($2::text IS NULL OR broker = $2)
      AND ($5::boolean IS NULL OR (redriven_at IS NOT NULL) = $5)
      AND ($3::uuid IS NULL OR (created_at, id) < (SELECT created_at, id FROM dead_letter WHERE id = $3))
    ORDER BY created_at DESC, id DESC
    LIMIT $4`,
);

/** Newest first. @param before the id of the last one of the page before */
export async function listDeadLetters(
  database: Database,
  query: {
    kind: string | undefined;
    broker: string | undefined;
    isRedriven: boolean | undefined;
    before: string | undefined;
    limit: number;
  },
): Promise<DeadLetter[]> {
  const { kind, broker, isRedriven, before, limit } = query;
  return listStatement.run(database, kind ?? null, broker ?? null, before ?? null, limit, isRedriven ?? null);
}
