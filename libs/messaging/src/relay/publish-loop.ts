import type { Pool } from 'pg';
import { backOffMs } from '../retry-until-database-up';
import { PartlyPublished } from '../port/broker-errors';
import { withTimeout } from '../with-timeout';
import { type MessagingSignals } from '../messaging-signals';
import { BrokerFault } from './broker-fault';
import type { Due, Outbox } from './outbox';

const batchSize = 500;
const publishDeadlineMs = 5_000;
/** A poll in case a wake-up was lost; milliseconds. */
const pollMs = 1_000;
const lockedMs = 50;

/**
 * Publishes the outbox rows of one broker. Each broker has its own loops with their own back-off, so that a broker that
 * is away does not delay the others.
 */
export class PublishLoop {
  private stopping = false;
  private wakeUpPending = false;
  private endSleep: (() => void) | undefined;
  private endAnySleep: (() => void) | undefined;
  private ended: Promise<void> | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly outbox: Outbox,
    private readonly signals: MessagingSignals,
  ) {}

  start(): void {
    this.ended = this.run();
  }

  /** The outbox may have new rows. */
  wakeUp(): void {
    this.wakeUpPending = true;
    this.endSleep?.();
  }

  /** Finishes the current batch, then stops. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.endAnySleep?.();
    await this.ended;
  }

  private async run(): Promise<void> {
    let failures = 0;
    while (!this.stopping) {
      this.wakeUpPending = false;
      try {
        const { taken, published, failure } = await this.publishDue();
        if (published > 0) this.signals.emit('published', this.outbox.broker, published);
        if (failure) throw failure;
        failures = 0;
        if (taken < batchSize) await this.sleepUntilDue();
      } catch (error) {
        failures += 1;
        const retryInMs = backOffMs(failures);
        this.tell(error, retryInMs);
        await this.sleep(retryInMs, 'uninterrupted');
      }
    }
  }

  /**
   * The transaction that locks the rows stays open during the publish. When it ends without a commit, the rows are
   * published in the next round. A message may thus be published twice; the second one finds its dispatch claimed and
   * is dropped.
   */
  private async publishDue(): Promise<{ taken: number; published: number; failure: Error | undefined }> {
    const client = await this.pool.connect();
    let broken: Error | undefined;
    try {
      await client.query('BEGIN');
      const due = await this.outbox.take(client, batchSize);
      const { confirmed, refused, cause } = await this.publish(due);
      if (confirmed.size > 0) {
        this.signals.emit('confirmed', this.outbox.broker, confirmed.size);
        await due.remove(confirmed);
      }
      if (refused.size > 0) await due.refuse(refused);
      await client.query('COMMIT');
      for (const [place, reason] of refused) {
        this.signals.emit('message_refused', this.outbox.broker, due.ids[place]!, reason);
      }
      return { taken: due.ids.length, published: confirmed.size, failure: cause };
    } catch (error) {
      broken = error as Error;
      await client.query('ROLLBACK').then(
        () => (broken = undefined),
        () => undefined,
      );
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /** Returns confirmed messages also when others failed, so that they are removed and not published again. */
  private async publish(due: Due): Promise<Pick<PartlyPublished, 'confirmed' | 'refused' | 'cause'>> {
    const all = new Set(due.ids.keys());
    const none = new Map<number, string>();
    if (all.size === 0) return { confirmed: all, refused: none, cause: undefined };
    try {
      await withTimeout(publishDeadlineMs, due.publish(), `The broker did not confirm within ${publishDeadlineMs} ms.`);
      return { confirmed: all, refused: none, cause: undefined };
    } catch (error) {
      if (!(error instanceof PartlyPublished)) throw new BrokerFault(error);
      const { confirmed, refused, cause } = error;
      return { confirmed, refused, cause: cause && new BrokerFault(cause) };
    }
  }

  private tell(error: unknown, retryInMs: number): void {
    const { broker } = this.outbox;
    if (error instanceof BrokerFault) this.signals.emit('publish_failed', broker, error.cause, retryInMs);
    else this.signals.emit('database_away', `publish to ${broker}`, error, retryInMs);
  }

  private async sleepUntilDue(): Promise<void> {
    const dueInMs = await this.outbox.nextDueMs(this.pool);
    if (this.wakeUpPending) return;
    // Due, but not taken: another relay has locked the row.
    const ms = dueInMs === undefined ? pollMs : dueInMs <= 0 ? lockedMs : Math.min(pollMs, dueInMs);
    await this.sleep(ms, 'until woken');
  }

  /** A wake-up does not shorten a back-off: otherwise every enqueue would try a broker that is away. */
  private sleep(ms: number, how: 'until woken' | 'uninterrupted'): Promise<void> {
    if (this.stopping) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.endSleep = undefined;
        this.endAnySleep = undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.endAnySleep = end;
      if (how === 'until woken') this.endSleep = end;
    });
  }
}
