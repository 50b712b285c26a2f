import type { MailboxMessage } from '@app/database';
import { neverMs, retentionPage, statement, walkWhileFull, type Database, type RetentionWalk } from '@app/ledger';

/** How many characters of a text a list shows. */
export const shownLetterCharacters = 4_000;

/** A message in a list: the beginnings of its texts, and their sizes in bytes. */
export interface ListedLetter extends MailboxMessage {
  readonly textBytes: number;
  readonly htmlBytes: number | null;
}

const listStatement = statement<ListedLetter>('mailbox_list').with(
  { tenants: 'text[]', limit: 'int' },
  ($) => `SELECT id, tenant, channel, recipient, subject, left(text, ${shownLetterCharacters}) AS text,
          octet_length(text) AS "textBytes", left(html, ${shownLetterCharacters}) AS html,
          octet_length(html) AS "htmlBytes", message_id AS "messageId", at
     FROM mailbox_message
    WHERE tenant = ANY (${$.tenants})
    ORDER BY id DESC
    LIMIT ${$.limit}`,
);

/** Lists the caught messages of some tenants, newest first. */
export async function readMailbox(
  database: Database,
  tenants: readonly string[],
  limit: number,
): Promise<ListedLetter[]> {
  return listStatement.run(database, { tenants, limit });
}

const deleteStatement = statement<{ deleted: number }>('retention_mailbox').with(
  { endedMs: 'bigint' },
  ($) => `WITH deleted AS (
     DELETE FROM mailbox_message
      WHERE id = ANY (ARRAY(SELECT id FROM (SELECT id, at FROM mailbox_message ORDER BY id LIMIT ${retentionPage}) oldest
                             WHERE at < now() - ${$.endedMs} * interval '1 millisecond'))
     RETURNING 1
   )
   SELECT count(*)::int AS deleted FROM deleted`,
);

/** Deletes caught messages as long after they were sent as a completed job is kept. */
export const mailboxRetention: RetentionWalk = (database, { endedMs = neverMs }) =>
  walkWhileFull(async () => (await deleteStatement.run(database, { endedMs }))[0]!.deleted);
