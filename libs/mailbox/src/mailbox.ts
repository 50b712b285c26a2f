import type { MailboxMessage, PrismaClient } from '@app/database';
import { Statement, type Database } from '@app/ledger';

export type CaughtMessage = Omit<MailboxMessage, 'id' | 'at'>;

/** What the built-in catcher takes in place of a mail server or an SMS provider: every copy, as it came. */
export async function catchMessage(prisma: PrismaClient, message: CaughtMessage): Promise<MailboxMessage> {
  return prisma.mailboxMessage.create({ data: message });
}

/** How many characters of a text a list shows. The whole letter is to be had by itself. */
export const shownLetterCharacters = 4_000;

/** A letter in a list: the beginnings of its texts, and how large they are. */
export interface ListedLetter extends MailboxMessage {
  readonly textBytes: number;
  readonly htmlBytes: number | null;
}

const listStatement = new Statement<ListedLetter>(
  'mailbox_list',
  `SELECT id, tenant, channel, recipient, subject, left(text, ${shownLetterCharacters}) AS text,
          octet_length(text) AS "textBytes", left(html, ${shownLetterCharacters}) AS html,
          octet_length(html) AS "htmlBytes", message_id AS "messageId", at
     FROM mailbox_message
    WHERE tenant = ANY ($1)
    ORDER BY id DESC
    LIMIT $2`,
);

/** What was caught for some tenants, newest first. */
export async function readMailbox(
  database: Database,
  tenants: readonly string[],
  limit: number,
): Promise<ListedLetter[]> {
  return listStatement.run(database, tenants, limit);
}

/** One letter, whole. @returns null where none of the tenants has it */
export async function readLetter(
  prisma: PrismaClient,
  tenants: readonly string[],
  id: bigint,
): Promise<MailboxMessage | null> {
  return prisma.mailboxMessage.findFirst({ where: { id, tenant: { in: [...tenants] } } });
}
