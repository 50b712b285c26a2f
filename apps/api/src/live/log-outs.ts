import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { Pool } from 'pg';
import { endedSessions } from '@app/http';
import type { Streams } from './streams';

const askEveryMs = 1_000;

/**
 * Ends the streams of sessions that have ended in any process. An open stream sends no request that could be refused.
 */
export class LogOuts implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private asking: Promise<void> | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly streams: Streams,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.asking ??= this.ask().finally(() => (this.asking = undefined));
    }, askEveryMs);
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.asking;
  }

  private async ask(): Promise<void> {
    const { sessions } = this.streams;
    if (sessions.length === 0) return;
    // While the database is down, `LiveFeed` reports it. The next query is one second later.
    this.streams.endThoseOf(await endedSessions(this.pool, sessions).catch(() => []));
  }
}
