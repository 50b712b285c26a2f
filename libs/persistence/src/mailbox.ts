import type { MailboxMessage, PrismaClient } from './generated/prisma/client';

export type CaughtMessage = Omit<MailboxMessage, 'id' | 'at'>;

/** What the built-in catcher takes in place of a mail server or an SMS provider: every copy, as it came. */
export async function catchMessage(prisma: PrismaClient, message: CaughtMessage): Promise<MailboxMessage> {
  return prisma.mailboxMessage.create({ data: message });
}

/** Newest first. */
export async function readMailbox(prisma: PrismaClient, limit: number): Promise<MailboxMessage[]> {
  return prisma.mailboxMessage.findMany({ orderBy: { id: 'desc' }, take: limit });
}
