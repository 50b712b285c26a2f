import { AsyncResource } from 'node:async_hooks';
import type { Pool } from 'pg';

export const wakeUpChannel = 'outbox';

/**
 * What has changed: jobs or events in the outbox, or `changes` of jobs that only live streams read. Live streams react
 * to every topic, because an outbox row also means a change.
 */
export type WakeUpTopic = 'jobs' | 'events' | 'changes';

/**
 * Notifies the relays of new outbox rows, and the APIs of changed jobs. NOTIFY takes a lock that all committing
 * transactions of the database share. So it is sent outside of transactions, and at most once per `windowMs` and
 * process. A notification may get lost; relays and APIs also poll.
 */
export class OutboxWakeUp {
  private timer: NodeJS.Timeout | undefined;
  private readonly topics = new Set<WakeUpTopic>();
  private lastSentAt = 0;

  constructor(
    private readonly pool: Pool,
    private readonly windowMs = 5,
  ) {}

  /** Requests a notification. Does not wait for it, and does not report an error. */
  request(topic: WakeUpTopic = 'jobs'): void {
    this.topics.add(topic);
    if (this.timer) return;
    const sinceLastMs = performance.now() - this.lastSentAt;
    this.timer = setTimeout(() => this.send(), Math.max(0, this.windowMs - sinceLastMs));
    this.timer.unref();
  }

  /** Bound to the context in which this object was made: a notification belongs to no single request or job. */
  private readonly send = AsyncResource.bind((): void => {
    this.timer = undefined;
    this.lastSentAt = performance.now();
    const payload = [...this.topics].join(' ');
    this.topics.clear();
    this.pool.query(`NOTIFY ${wakeUpChannel}, '${payload}'`).catch(() => undefined);
  });
}
