import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { PrismaClient, type Prisma } from '@app/database';
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

export interface NewEndpoint {
  readonly url: string;
  readonly description: string;
  /** An empty list means all kinds; the same holds for the states. */
  readonly kinds: readonly string[];
  readonly states: readonly string[];
}

/** What a delivery needs to know of its endpoint. */
export interface Recipient {
  readonly url: string;
  readonly isDisabled: boolean;
  /** The current secret first. */
  readonly secrets: readonly string[];
}

export const mostEndpoints = 20;

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
  async create(
    tenant: string,
    { url, description, kinds, states }: NewEndpoint,
  ): Promise<{ endpoint: Endpoint; secret: string } | undefined> {
    const id = uuidv7();
    const secret = newSecret();
    const endpoint = await this.prisma.$transaction(async (tx) => {
      // One transaction at a time per tenant: two concurrent ones could exceed the limit.
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('webhook_endpoint ' || ${tenant}, 0))`;
      if ((await tx.webhookEndpoint.count({ where: { tenant } })) >= mostEndpoints) return undefined;
      const data = { id, tenant, url, description, kinds: [...kinds], states: [...states] };
      return tx.webhookEndpoint.create({ data: { ...data, secret: this.box.seal(secret, id) }, select: shown });
    });
    return endpoint && { endpoint, secret };
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

  /** @returns whether the endpoint existed */
  async delete(tenant: string, id: string): Promise<boolean> {
    return (await this.prisma.webhookEndpoint.deleteMany({ where: { tenant, id } })).count > 0;
  }

  /**
   * Creates a new secret. The current secret stays valid beside it for some hours; an older one becomes invalid.
   * @returns the new secret, which is not shown again; undefined when there is no such endpoint
   */
  async rotateSecret(
    tenant: string,
    id: string,
    keepHours: number,
  ): Promise<{ endpoint: Endpoint; secret: string } | undefined> {
    const secret = newSecret();
    const sealed = this.box.seal(secret, id);
    const rotated = await this.prisma.$executeRaw`
      UPDATE webhook_endpoint
         SET secret = ${sealed},
             previous_secret = CASE WHEN ${keepHours}::int > 0 THEN secret END,
             previous_secret_until = CASE WHEN ${keepHours}::int > 0 THEN now() + ${keepHours}::int * interval '1 hour' END
       WHERE tenant = ${tenant} AND id = ${id}::uuid`;
    const endpoint = rotated > 0 ? await this.read(tenant, id) : undefined;
    return endpoint && { endpoint, secret };
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
  async listening(
    tx: Prisma.TransactionClient,
    tenants: readonly string[],
  ): Promise<{ id: string; tenant: string; kinds: string[]; states: string[] }[]> {
    return tx.webhookEndpoint.findMany({
      where: { tenant: { in: [...tenants] }, disabledAt: null },
      orderBy: { id: 'asc' },
      select: { id: true, tenant: true, kinds: true, states: true },
    });
  }

  /** For the built-in receiver: the newest endpoints at a URL, of all tenants, with their secrets. */
  async at(url: string, limit: number): Promise<{ tenant: string; secrets: string[] }[]> {
    const rows = await this.prisma.$queryRaw<
      { id: string; tenant: string; secret: Uint8Array; previous: Uint8Array | null }[]
    >`
      SELECT id, tenant, secret, CASE WHEN previous_secret_until > now() THEN previous_secret END AS previous
        FROM webhook_endpoint
       WHERE url = ${url}
       ORDER BY id DESC
       LIMIT ${limit}::int`;
    return rows.flatMap(({ id, tenant, secret, previous }) => {
      try {
        const sealed = previous ? [secret, previous] : [secret];
        return [{ tenant, secrets: sealed.map((bytes) => this.box.open(bytes, id)) }];
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
    const [row] = await this.prisma.$queryRaw<
      { url: string; isDisabled: boolean; secret: Uint8Array; previous: Uint8Array | null }[]
    >`
      SELECT url, disabled_at IS NOT NULL AS "isDisabled", secret,
             CASE WHEN previous_secret_until > now() THEN previous_secret END AS previous
        FROM webhook_endpoint
       WHERE tenant = ${tenant} AND id = ${id}::uuid`;
    if (!row) return undefined;
    const sealed = row.previous ? [row.secret, row.previous] : [row.secret];
    return { url: row.url, isDisabled: row.isDisabled, secrets: sealed.map((bytes) => this.box.open(bytes, id)) };
  }
}
