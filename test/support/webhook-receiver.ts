import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface ReceivedWebhook {
  readonly id: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** A server of a customer that receives webhooks. */
export class WebhookReceiver {
  readonly received: ReceivedWebhook[] = [];
  /** The answers to the next messages, in order; then 204. */
  replies: Reply[] = [];
  /** Accepts messages and does not answer. */
  isHanging = false;
  readonly hanging = new Set<ServerResponse>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<WebhookReceiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const receiver = new WebhookReceiver(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const headers = request.headers as Record<string, string>;
        receiver.received.push({ id: headers['webhook-id']!, headers, body: Buffer.concat(chunks).toString() });
        if (receiver.isHanging) {
          receiver.hanging.add(response);
          response.on('close', () => receiver.hanging.delete(response));
          return;
        }
        const { status, headers: answered, body } = receiver.replies.shift() ?? { status: 204 };
        response.writeHead(status, answered).end(body);
      });
    });
    return receiver;
  }

  get ids(): string[] {
    return this.received.map(({ id }) => id);
  }

  /** Whether the official library accepts the signature of the nth message with this secret. */
  isSignedWith(secret: string, n = this.received.length - 1): boolean {
    const { body, headers } = this.received[n]!;
    try {
      new Webhook(secret).verify(body, headers);
      return true;
    } catch {
      return false;
    }
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
