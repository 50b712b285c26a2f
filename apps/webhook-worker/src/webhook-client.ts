import { Agent, request, type Dispatcher } from 'undici';
import type { TargetGuard } from '@app/features/webhook';

export interface WebhookClientTimes {
  readonly connectMs: number;
  /** From the look-up of the name to the end of the answer, however slowly it arrives; milliseconds. */
  readonly totalMs: number;
}

/** The answer to a request. Anything else is an error, and the request may still have arrived. */
export interface WebhookAnswer {
  readonly status: number;
  /** The first bytes of the body, for the log. */
  readonly text: string;
  readonly retryAfterSeconds: number | undefined;
}

const keptBytes = 512;

/**
 * Sends requests to addresses that tenants have set, and to none that the guard refuses. Follows no redirect, reads no
 * more of an answer than it keeps, and opens a connection for each request, so that each address is checked again.
 */
export class WebhookClient {
  private readonly agent: Agent;
  /** For the built-in receiver: its exact address is allowed, so its host is looked up in the usual way. */
  private readonly receiverAgent: Agent;

  constructor(
    private readonly guard: TargetGuard,
    private readonly times: WebhookClientTimes = { connectMs: 5_000, totalMs: 15_000 },
  ) {
    this.agent = new Agent({
      connect: { lookup: guard.lookup, timeout: times.connectMs },
      pipelining: 0, // No connection is reused.
    });
    this.receiverAgent = new Agent({ connect: { timeout: times.connectMs }, pipelining: 0 });
  }

  /** @throws TargetRefused; the error of a failed connection; a TimeoutError */
  async post(url: string, headers: Record<string, string>, body: string, signal: AbortSignal): Promise<WebhookAnswer> {
    this.guard.checkUrl(url);
    const timeOut = AbortSignal.timeout(this.times.totalMs);
    const response = await request(url, {
      dispatcher: this.guard.isReceiver(url) ? this.receiverAgent : this.agent,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'node-message-queue-webhooks', ...headers },
      body,
      signal: AbortSignal.any([signal, timeOut]),
    });
    return {
      status: response.statusCode,
      text: await firstBytesOf(response.body),
      retryAfterSeconds: secondsOf(response.headers['retry-after']),
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.agent.destroy(), this.receiverAgent.destroy()]);
  }
}

/** The status is enough: a body that breaks off, or never ends, changes nothing. */
async function firstBytesOf(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= keptBytes) break; // Destroys the stream, and with it the connection.
    }
  } catch {
    // Keeps what has arrived until now.
  }
  return Buffer.concat(chunks).subarray(0, keptBytes).toString();
}

/** Accepts a number of seconds. The other form, a date, would depend on the receiver's clock. */
function secondsOf(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,6}$/.test(header) ? Number(header) : undefined;
}
