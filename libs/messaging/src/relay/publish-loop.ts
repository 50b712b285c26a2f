import type { Pool } from 'pg';
import { withClient } from '@app/ledger';
import { backOffMs } from '../retry-until-database-up';
import { PartlyPublished } from '../port/broker-errors';
import { sleep } from '../sleep';
import { recordSent, type SentMessage } from '../tracing';
import { withTimeout } from '../with-timeout';
import type { MessagingSignals } from '../messaging-signals';
import type { Outbox } from './outbox';

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
  /** Aborts when the loop is stopped. */
  private readonly stopped = new AbortController();
  /** Aborts when the outbox may have new rows, and when the loop is stopped. Each round has its own. */
  private wokenUp = new AbortController();
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
    this.wokenUp.abort();
  }

  /** Finishes the current batch, then stops. */
  async stop(): Promise<void> {
    this.stopped.abort();
    this.wokenUp.abort();
    await this.ended;
  }

  private async run(): Promise<void> {
    const { broker } = this.outbox;
    let failures = 0;
    while (!this.stopped.signal.aborted) {
      this.wokenUp = new AbortController();
      try {
        const { taken, fault } = await this.publishDue();
        failures = fault ? failures + 1 : 0;
        if (fault) await this.backOff(failures, 'publish_failed', broker, fault);
        else if (taken < batchSize) await this.sleepUntilDue();
      } catch (error) {
        failures += 1;
        await this.backOff(failures, 'database_away', `publish to ${broker}`, error);
      }
    }
  }

  /**
   * The transaction that locks the rows stays open during the publish. When it ends without a commit, the rows are
   * published in the next round. A message may thus be published twice; the second one finds its dispatch claimed and
   * is dropped.
   * @returns how many rows were due, and the error of the broker
   * @throws the error of the database
   */
  private async publishDue(): Promise<{ taken: number; fault: Error | undefined }> {
    const { outbox, signals } = this;
    return withClient(this.pool, async (client) => {
      await client.query('BEGIN');
      const rows = await outbox.take(client, batchSize);
      const { confirmed, refused, cause } = await this.publish(rows);
      const confirmedRows = rows.filter((_, place) => confirmed.has(place));
      const refusedRows = [...refused].map(([place, reason]) => ({ ...rows[place]!, reason }));
      if (confirmedRows.length > 0) {
        signals.emit('confirmed', outbox.broker, confirmedRows.length);
        await outbox.remove(client, confirmedRows);
      }
      if (refusedRows.length > 0) await outbox.refuse(client, refusedRows);
      await client.query('COMMIT');
      recordSent(outbox.broker, confirmedRows);
      for (const { id, reason } of refusedRows) signals.emit('message_refused', outbox.broker, id, reason);
      if (confirmedRows.length > 0) signals.emit('published', outbox.broker, confirmedRows.length);
      return { taken: rows.length, fault: cause };
    });
  }

  /**
   * Returns the broker's error and does not throw it. So the caller can remove the messages that the broker has
   * confirmed, although others failed.
   */
  private async publish(
    rows: readonly SentMessage[],
  ): Promise<Pick<PartlyPublished, 'confirmed' | 'refused' | 'cause'>> {
    const timedOut = `The broker did not confirm within ${publishDeadlineMs} ms.`;
    try {
      if (rows.length > 0) await withTimeout(publishDeadlineMs, this.outbox.publish(rows), timedOut);
      return { confirmed: new Set(rows.keys()), refused: new Map(), cause: undefined };
    } catch (error) {
      if (error instanceof PartlyPublished) return error;
      return { confirmed: new Set(), refused: new Map(), cause: error as Error };
    }
  }

  private async sleepUntilDue(): Promise<void> {
    const dueInMs = await this.outbox.nextDueMs?.(this.pool);
    // Due, but not taken: another relay has locked the row.
    const ms = dueInMs === undefined ? pollMs : dueInMs <= 0 ? lockedMs : Math.min(pollMs, dueInMs);
    await sleep(ms, this.wokenUp.signal);
  }

  /** A wake-up does not shorten a back-off: otherwise every enqueue would try a broker that is away. */
  private async backOff(
    failures: number,
    signal: 'publish_failed' | 'database_away',
    what: string,
    error: unknown,
  ): Promise<void> {
    const retryInMs = backOffMs(failures);
    this.signals.emit(signal, what, error, retryInMs);
    await sleep(retryInMs, this.stopped.signal);
  }
}
