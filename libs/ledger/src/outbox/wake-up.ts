import type { Pool } from 'pg';

export const wakeUpChannel = 'outbox';

/**
 * What there is something new of: jobs or events in the outbox, or changes of jobs that concern nobody but those who
 * watch them. Whoever watches looks at every wake-up: what is in the outbox has changed too.
 */
export type WakeUpTopic = 'jobs' | 'events' | 'changes';

/**
 * Tells the relays that the outbox has something new, and the APIs that jobs have changed. NOTIFY takes a lock that all committing transactions of
 * the database share, so it is sent outside of them and at most once in `windowMs` per process.
 * It may get lost; relays and APIs poll behind it.
 */
export class OutboxWakeUp {
  private timer: NodeJS.Timeout | undefined;
  private readonly topics = new Set<WakeUpTopic>();
  private lastSentAt = 0;

  constructor(
    private readonly pool: Pool,
    private readonly windowMs = 5,
  ) {}

  request(topic: WakeUpTopic = 'jobs'): void {
    this.topics.add(topic);
    if (this.timer) return;
    const sinceLastMs = performance.now() - this.lastSentAt;
    this.timer = setTimeout(() => this.send(), Math.max(0, this.windowMs - sinceLastMs));
    this.timer.unref();
  }

  private send(): void {
    this.timer = undefined;
    this.lastSentAt = performance.now();
    const payload = [...this.topics].join(' ');
    this.topics.clear();
    this.pool.query(`NOTIFY ${wakeUpChannel}, '${payload}'`).catch(() => undefined);
  }
}
