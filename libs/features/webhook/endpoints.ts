import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { Prisma, PrismaClient } from '@app/database';
import { SecretBox } from './secret-box';
import { newSecret } from './signature';

/** An endpoint as its owner sees it, without its secrets. */
const shown = {
  id: true,
  url: true,
  description: true,
  kinds: true,
  states: true,
  createdAt: true,
  previousSecretUntil: true,
  disabledAt: true,
  disabledReason: true,
} satisfies Prisma.WebhookEndpointSelect;

export type Endpoint = Prisma.WebhookEndpointGetPayload<{ select: typeof shown }>;

/** An empty list of kinds or of states means all of them. */
export type NewEndpoint = Pick<Endpoint, 'url' | 'description' | 'kinds' | 'states'>;

/** What a delivery needs to know of its endpoint. */
export interface Recipient {
  readonly url: string;
  readonly isDisabled: boolean;
  /** The current secret first. */
  readonly secrets: readonly string[];
}

export const mostEndpoints = 20;

/** The secrets of an endpoint as they are stored. The previous one is valid for some hours after a rotation. */
interface SealedSecrets {
  readonly id: string;
  readonly secret: Uint8Array;
  readonly previous: Uint8Array | null;
}

const sealedSecrets = Prisma.sql`
  id, secret, CASE WHEN previous_secret_until > now() THEN previous_secret END AS previous`;

/** The endpoints to which tenants get webhooks about their jobs. */
@Injectable()
export class Endpoints {
  constructor(
    private readonly prisma: PrismaClient,
    private readonly box: SecretBox,
  ) {}

  /**
   * @returns the endpoint with its secret, which is not shown again; undefined when the tenant has reached its limit
   */
  async create(tenant: string, webhook: NewEndpoint): Promise<(Endpoint & { secret: string }) | undefined> {
    const id = uuidv7();
    const secret = newSecret();
    const sealed = this.box.seal(secret, id);
    const endpoint = await this.prisma.$transaction(async (tx) => {
      // One transaction at a time per tenant: two concurrent ones could exceed the limit.
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('webhook_endpoint ' || ${tenant}, 0))`;
      if ((await tx.webhookEndpoint.count({ where: { tenant } })) >= mostEndpoints) return undefined;
      return tx.webhookEndpoint.create({ data: { ...webhook, id, tenant, secret: sealed }, select: shown });
    });
    return endpoint && { ...endpoint, secret };
  }

  /** Lists endpoints, oldest first. */
  async list(tenant: string): Promise<Endpoint[]> {
    // Not by id: ids contain the clock of the process that made them.
    const orderBy = [{ createdAt: 'asc' as const }, { id: 'asc' as const }];
    return this.prisma.webhookEndpoint.findMany({ where: { tenant }, orderBy, select: shown });
  }

  async read(tenant: string, id: string): Promise<Endpoint | undefined> {
    return (await this.prisma.webhookEndpoint.findFirst({ where: { tenant, id }, select: shown })) ?? undefined;
  }

  async delete(tenant: string, id: string): Promise<void> {
    await this.prisma.webhookEndpoint.deleteMany({ where: { tenant, id } });
  }

  /**
   * Creates a new secret. The current secret stays valid beside it for some hours; an older one becomes invalid.
   * @returns the new secret, which is not shown again
   */
  async rotateSecret(tenant: string, id: string, keepHours: number): Promise<string> {
    const secret = newSecret();
    const sealed = this.box.seal(secret, id);
    await this.prisma.$executeRaw`
      UPDATE webhook_endpoint
         SET secret = ${sealed},
             previous_secret = CASE WHEN ${keepHours}::int > 0 THEN secret END,
             previous_secret_until = CASE WHEN ${keepHours}::int > 0 THEN now() + ${keepHours}::int * interval '1 hour' END
       WHERE tenant = ${tenant} AND id = ${id}::uuid`;
    return secret;
  }

  async disable(tenant: string, id: string, reason: string): Promise<void> {
    await this.prisma.$executeRaw`
      UPDATE webhook_endpoint SET disabled_at = now(), disabled_reason = ${reason}
       WHERE tenant = ${tenant} AND id = ${id}::uuid AND disabled_at IS NULL`;
  }

  async enable(tenant: string, id: string): Promise<void> {
    await this.prisma.webhookEndpoint.updateMany({
      where: { tenant, id },
      data: { disabledAt: null, disabledReason: null },
    });
  }

  /** @returns the endpoints of some tenants that get webhooks about jobs */
  async listening(tx: Prisma.TransactionClient, tenants: readonly string[]) {
    return tx.webhookEndpoint.findMany({
      where: { tenant: { in: [...tenants] }, disabledAt: null },
      orderBy: { id: 'asc' },
      select: { id: true, tenant: true, kinds: true, states: true },
    });
  }

  /** For the built-in receiver: the newest endpoints at a URL, of all tenants, with their secrets. */
  async at(url: string, limit: number): Promise<{ tenant: string; secrets: string[] }[]> {
    const rows = await this.prisma.$queryRaw<(SealedSecrets & { tenant: string })[]>`
      SELECT tenant, ${sealedSecrets} FROM webhook_endpoint WHERE url = ${url} ORDER BY id DESC LIMIT ${limit}::int`;
    return rows.flatMap(({ tenant, ...sealed }) => {
      try {
        return [{ tenant, secrets: this.open(sealed) }];
      } catch {
        return []; // Sealed with another key; the other endpoints are still valid.
      }
    });
  }

  /**
   * @returns undefined when there is no such endpoint
   * @throws SecretUnreadable
   */
  async recipient(tenant: string, id: string): Promise<Recipient | undefined> {
    const [row] = await this.prisma.$queryRaw<(SealedSecrets & Omit<Recipient, 'secrets'>)[]>`
      SELECT url, disabled_at IS NOT NULL AS "isDisabled", ${sealedSecrets}
        FROM webhook_endpoint
       WHERE tenant = ${tenant} AND id = ${id}::uuid`;
    return row && { url: row.url, isDisabled: row.isDisabled, secrets: this.open(row) };
  }

  /** @throws SecretUnreadable */
  private open({ id, secret, previous }: SealedSecrets): string[] {
    return (previous ? [secret, previous] : [secret]).map((sealed) => this.box.open(sealed, id));
  }
}
