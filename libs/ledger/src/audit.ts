import { statementVariants } from './statement';

/** What an operator did. */
export interface AuditEntry {
  /** Rises in the order in which the actions began. */
  readonly id: string;
  readonly at: Date;
  /** The tenant and the roles of the operator's key, such as `ops (operator)`. */
  readonly actor: string;
  /** Stable, such as `dead_letter.discard`. */
  readonly action: AuditAction;
  /** The id of what was changed. */
  readonly subject: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export type AuditAction =
  | 'dead_letter.redrive'
  | 'dead_letter.redrive_edited'
  | 'dead_letter.discard'
  | 'redrive.begin'
  | 'redrive.set_state'
  | 'queue.pause'
  | 'queue.resume'
  | 'queue.purge'
  | 'tenant.export'
  | 'tenant.erase';

/**
 * The SQL part that records an action in the statement that carries it out.
 * @param detail an expression of type jsonb
 * @param from a FROM clause, with a row for each subject that was changed
 */
export const recordAction = (action: AuditAction, actor: string, subject: string, detail: string, from: string) =>
  `INSERT INTO audit_entry (actor, action, subject, detail)
     SELECT ${actor}, '${action}', ${subject}::text, ${detail} ${from}`;

/** Lists what operators did, newest first. */
export const listAudit = statementVariants<AuditEntry>((given) => ['audit_list', ...given].join('_')).with(
  { limit: 'int' },
  { subject: 'text', before: 'bigint' },
  ($) => {
    const conditions = [$.subject && `subject = ${$.subject}`, $.before && `id < ${$.before}`].filter(Boolean);
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
    return `SELECT id::text, at, actor, action, subject, detail FROM audit_entry ${where} ORDER BY id DESC LIMIT ${$.limit}`;
  },
);
