import type { Pool } from 'pg';
import { v4 as uuidv4 } from 'uuid';
import { toStorable } from '@app/contracts';
import { forgetQueueReaders, reportQueueReaders, type QueueReader } from '@app/ledger';
import { withTimeout } from '../with-timeout';

const everyMs = 2_000;
const lastMs = 1_000;

/**
 * Tells the ledger from which queues this process can take messages. Only the process that consumes knows: to everybody
 * else its broker looks well, and the messages wait.
 */
export class QueueReports {
  private readonly processId = uuidv4();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly look: () => readonly QueueReader[],
  ) {}

  /** The first report has time until the brokers are reached. */
  start(): void {
    this.timer = setInterval(() => this.write(), everyMs);
  }

  /** The process takes nothing any more. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    const told = Promise.resolve(this.writing).then(() => forgetQueueReaders(this.pool, this.processId));
    await withTimeout(lastMs, told, 'it did not answer').catch(() => undefined);
  }

  /** A report that is not written is one that is missing: who reads them sees how old the last one is. */
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
