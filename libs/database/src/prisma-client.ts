import { PrismaPg } from '@prisma/adapter-pg';
import type { Pool } from 'pg';
import { PrismaClient } from './generated/prisma/client';

export { Prisma, PrismaClient, type MailboxMessage, type WebhookAttempt } from './generated/prisma/client';

/** Creates Prisma over the pool of the hot statements, so that a process has one set of connections. */
export function createPrismaClient(pool: Pool): PrismaClient {
  return new PrismaClient({ adapter: new PrismaPg(pool) });
}
