import type { Pool } from 'pg';
import type { RetentionAges, RetentionWalks } from '@app/ledger';
import type { MessagingSignals } from '../messaging-signals';
import { sleep } from '../sleep';

/** From the end of one run to the next, in milliseconds. */
export const retentionEveryMs = 60_000;

/**
 * Deletes what ended long ago, page by page. Between two pages it waits as long as the last page took, so it uses at most
 * half of one connection, and the statements of jobs come between. A relay that stops in the middle begins again at the
 * next start. Several relays may run it at once: they skip each other's rows.
 */
export class Retention {
  constructor(
    private readonly pool: Pool,
    private readonly options: { readonly walks: RetentionWalks; readonly ages: RetentionAges },
    private readonly signals: MessagingSignals,
  ) {}

  /** Walks once through everything. A walk that fails does not hold up the others: the next run begins it again. */
  async run(stopped: AbortSignal): Promise<void> {
    for (const [what, walk] of Object.entries(this.options.walks)) {
      let beganAt = performance.now();
      try {
        for await (const deleted of walk(this.pool, this.options.ages)) {
          if (deleted > 0) this.signals.emit('deleted', what, deleted);
          await sleep(performance.now() - beganAt, stopped);
          if (stopped.aborted) return;
          beganAt = performance.now();
        }
      } catch (error) {
        this.signals.emit('retention_failed', what, error, retentionEveryMs);
      }
    }
  }
}
