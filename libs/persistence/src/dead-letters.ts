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
}

const setAsideStatement = new Statement<never>(
  'dead_letter_set_aside',
  `INSERT INTO dead_letter (broker, queue, kind, reason, detail, raw) VALUES ($1, $2, $3, $4, $5, $6)`,
);

export async function setAside(database: Database, message: UnreadableMessage): Promise<void> {
  const { broker, queue, kind, reason, detail, raw } = message;
  await setAsideStatement.run(database, broker, queue, kind ?? null, reason, detail, raw);
}
