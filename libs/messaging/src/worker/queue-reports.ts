import type { Pool } from 'pg';
import { v4 as uuidv4 } from 'uuid';
import { toStorable } from '@app/contracts';
import { forgetQueueReaders, reportQueueReaders, type QueueReader } from '@app/ledger';
import { withTimeout } from '../with-timeout';

const everyMs = 2_000;
const lastMs = 1_000;

/**
 * Reports to the ledger which queues this process can consume. No other process can see this: the broker looks healthy
 * to them while its messages wait.
 */
export class QueueReports {
  private readonly processId = uuidv4();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly look: () => readonly QueueReader[],
  ) {}

  /** Writes the first report after one interval, so that the brokers are reached by then. */
  start(): void {
    this.timer = setInterval(() => this.write(), everyMs);
  }

  /** Deletes the reports, because the process takes no more messages. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    const removed = Promise.resolve(this.writing).then(() =>
      forgetQueueReaders.run(this.pool, { processId: this.processId }),
    );
    await withTimeout(lastMs, removed, 'it did not answer').catch(() => undefined);
  }

  /** A failed report is not retried: a reader sees how old the last one is. */
  private write(): void {
    if (this.writing) return;
    const readers = this.look().map(({ trouble, ...reader }) => ({
      ...reader,
      trouble: trouble === undefined ? undefined : toStorable(trouble),
    }));
    if (readers.length === 0) return;
    this.writing = reportQueueReaders(this.pool, this.processId, readers)
      .catch(() => undefined)
      .finally(() => (this.writing = undefined));
  }
}
