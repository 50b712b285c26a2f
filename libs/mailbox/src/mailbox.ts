import type { MailboxMessage, PrismaClient } from '@app/database';
import { statement, type Database } from '@app/ledger';

export type CaughtMessage = Omit<MailboxMessage, 'id' | 'at'>;

/**
 * Stores a message in the built-in catcher, which replaces a mail server or an SMS provider. Stores every copy,
 * unchanged.
 */
export async function catchMessage(prisma: PrismaClient, message: CaughtMessage): Promise<MailboxMessage> {
  return prisma.mailboxMessage.create({ data: message });
}

/** How many characters of a text a list shows. `readLetter` returns the whole text of one message. */
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

/** Reads one message with its whole texts. @returns null when none of the tenants has it */
export async function readLetter(
  prisma: PrismaClient,
  tenants: readonly string[],
  id: bigint,
): Promise<MailboxMessage | null> {
  return prisma.mailboxMessage.findFirst({ where: { id, tenant: { in: [...tenants] } } });
}
