import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { breakWhenSilent, connectClient, wakeUpChannel, type WakeUpTopic } from '@app/ledger';
import type { MessagingSignals } from './messaging-signals';
import { backOffMs } from './retry-until-database-up';

/** Waits for `NOTIFY outbox` on its own connection. It may miss notifications, so its users also poll. */
export class WakeUpListener {
  private client: Client | undefined;
  private stopped = false;

  constructor(
    private readonly databaseUrl: string,
    private readonly application: string,
    private readonly signals: MessagingSignals,
    private readonly onWakeUp: (topics: ReadonlySet<WakeUpTopic>) => void,
  ) {}

  /** Resolves when it listens. After that it reconnects by itself. */
  async start(): Promise<void> {
    for (let failures = 1; !this.stopped; failures += 1) {
      try {
        await this.connect();
        this.onWakeUp(new Set(['jobs', 'events', 'changes'])); // Notifications may have been missed meanwhile.
        return;
      } catch (error) {
        const retryInMs = backOffMs(failures);
        this.signals.emit('database_away', 'listen', error, retryInMs);
        await delay(retryInMs);
      }
    }
  }

  /** Closes the connection and stops reconnecting. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.client?.end().catch(() => undefined);
  }

  private async connect(): Promise<void> {
    const client = await connectClient(this.databaseUrl, {
      application_name: `${this.application} listen`,
      connectionTimeoutMillis: 5_000,
    });
    client.on('notification', ({ payload = '' }) => this.onWakeUp(new Set(payload.split(' ') as WakeUpTopic[])));
    await client.query(`LISTEN ${wakeUpChannel}`);
    breakWhenSilent(client);
    client.once('end', () => {
      if (!this.stopped) void this.start();
    });
    this.client = client;
  }
}
