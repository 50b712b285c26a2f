import type { MailboxMessage, PrismaClient } from './generated/prisma/client';

export type CaughtMessage = Omit<MailboxMessage, 'id' | 'at'>;

/** What the built-in catcher takes in place of a mail server or an SMS provider: every copy, as it came. */
export async function catchMessage(prisma: PrismaClient, message: CaughtMessage): Promise<MailboxMessage> {
  return prisma.mailboxMessage.create({ data: message });
}

/** What was caught for some tenants, newest first. */
export async function readMailbox(
  prisma: PrismaClient,
  tenants: readonly string[],
  limit: number,
): Promise<MailboxMessage[]> {
  return prisma.mailboxMessage.findMany({
    where: { tenant: { in: [...tenants] } },
    orderBy: { id: 'desc' },
    take: limit,
  });
}
