import { addAbortSignal } from 'node:stream';
import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, RequestHandler, Response } from 'express';
import { z } from 'zod';
import { Endpoints, isSignedWith, TargetGuard } from '@app/features/webhook';
import { Roles, CallerOf, type Caller, toOpenApi } from '@app/http';

/** The maximum size of a message. Our messages have a few hundred bytes. */
const maxBytes = 64 * 1024;
const maxBodyMs = 5_000;
/**
 * The maximum number of concurrent requests. Unsigned bodies count too: a signature is checked after the body is read.
 */
const atOnce = 20;
const keptPerTenant = 50;
const keptTenants = 20;
const endpointsTried = 200;

const received = z.object({
  url: z.string().describe('the `url` for a webhook that sends its messages to this receiver'),
  items: z.array(z.object({ webhookId: z.string(), receivedAt: z.iso.datetime(), body: z.unknown() })),
});

type Received = z.output<typeof received>;

/**
 * A built-in receiver, so that a tenant can try webhooks without its own server. It verifies the signature of the
 * received bytes and answers 204. It exists only outside production. It keeps the newest messages in the memory of this
 * process.
 */
@ApiTags('development')
@Roles('user')
@Controller('dev/webhook-receiver')
export class WebhookReceiverController {
  private readonly kept = new Map<string, Received['items']>();
  private readonly url: string;
  private reading = 0;

  constructor(
    private readonly endpoints: Endpoints,
    { policy }: TargetGuard,
  ) {
    this.url = policy.receiverUrl!;
  }

  @Get()
  @ApiOperation({
    summary: 'List the webhook messages of the tenant that the built-in receiver has accepted, newest first',
    description:
      'A webhook with this `url` sends its messages here. The receiver has checked the signature of each message.',
  })
  @ApiResponse({ status: 200, description: 'The messages.', schema: toOpenApi(received) })
  list(@CallerOf() { tenant }: Caller): Received {
    return { url: this.url, items: this.kept.get(tenant) ?? [] };
  }

  /** Express middleware for POST. It runs before the check for a key, because the signature identifies the sender. */
  readonly receive: RequestHandler = (request, response, next) => {
    if (request.method !== 'POST') {
      next();
      return;
    }
    this.take(request).then(
      (status) => answer(response, status),
      () => answer(response, 400),
    );
  };

  /** Reads and verifies one message. @returns the status of the answer */
  private async take(request: Request): Promise<number> {
    if (this.reading >= atOnce) return 503;
    this.reading += 1;
    try {
      const body = await bodyOf(request);
      if (body === undefined) return 413;
      const signer = (await this.endpoints.at(this.url, endpointsTried)).find(({ secrets }) =>
        isSignedWith(secrets, request.headers, body),
      );
      if (!signer) return 401;
      this.keep(signer.tenant, {
        webhookId: request.headers['webhook-id'] as string,
        receivedAt: new Date().toISOString(),
        body: JSON.parse(body),
      });
      return 204;
    } finally {
      this.reading -= 1;
    }
  }

  private keep(tenant: string, message: Received['items'][number]): void {
    const messages = [message, ...(this.kept.get(tenant) ?? [])].slice(0, keptPerTenant);
    this.kept.delete(tenant); // Puts the tenant at the end of the map, as the newest.
    this.kept.set(tenant, messages);
    const [oldest] = this.kept.keys();
    if (this.kept.size > keptTenants) this.kept.delete(oldest!);
  }
}

/** Reads a body. @returns undefined if it is too large @throws Error if it is incomplete or takes too long */
async function bodyOf(request: Request): Promise<string | undefined> {
  addAbortSignal(AbortSignal.timeout(maxBodyMs), request);
  const chunks: Buffer[] = [];
  let bytes = 0;
  // The default would destroy the request, and with it the connection and the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

const details: Record<number, string> = {
  400: 'Expected a body in JSON, whole and within 5 s.',
  401: 'Expected webhook-id, webhook-timestamp and webhook-signature of a webhook that has this URL, and the body that was signed, at most five minutes ago.',
  413: `Expected at most ${maxBytes} bytes.`,
  503: 'Too many messages arrive at once. Send the message again.',
};

function answer(response: Response, status: number): void {
  if (response.destroyed) return;
  if (status === 204) response.status(204).end();
  else response.status(status).set('Connection', 'close').type('text/plain').send(details[status]);
}
