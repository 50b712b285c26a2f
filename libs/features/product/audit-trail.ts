import type { Prisma } from '@app/database';

export interface AuditEntry {
  readonly eventId: string;
  readonly tenant: string;
  readonly sku: string;
  readonly version: number;
  readonly name: string;
  readonly priceCents: number;
  readonly changedBy: string;
  readonly changedAt: Date;
}

/** Writes audit entries in the transaction of the events, which passes each event once. */
export async function recordAudit(tx: Prisma.TransactionClient, entries: readonly AuditEntry[]): Promise<void> {
  await tx.productAudit.createMany({ data: [...entries] });
}
