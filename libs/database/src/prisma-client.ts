import { PrismaPg } from '@prisma/adapter-pg';
import type { Pool } from 'pg';
import { PrismaClient } from './generated/prisma/client';

export { Prisma, PrismaClient, type MailboxMessage, type WebhookAttempt } from './generated/prisma/client';

/** Prisma over the pool of the hot statements: one set of connections for a process. */
export function createPrismaClient(pool: Pool): PrismaClient {
  return new PrismaClient({ adapter: new PrismaPg(pool) });
}
