import type { Pool } from 'pg';
import { retentionWalks, type RetentionAges, type RetentionWalk } from '@app/ledger';
import type { MessagingSignals } from '../messaging-signals';
import { sleep } from '../sleep';

/**
 * Deletes what ended long ago, page by page. Between two pages it waits as long as the last page took, so it uses at most
 * half of one connection, and the statements of jobs come between. A relay that stops in the middle begins again at the
 * next start. Several relays may run it at once: they skip each other's rows.
 */
export class Retention {
  constructor(
    private readonly pool: Pool,
    private readonly ages: RetentionAges,
    private readonly signals: MessagingSignals,
  ) {}

  /** Walks once through everything. @throws the database's error */
  async run(stopped: AbortSignal): Promise<void> {
    for (const [what, walk] of Object.entries(retentionWalks)) {
      let beganAt = performance.now();
      for await (const deleted of walk(this.pool, this.ages)) {
        if (deleted > 0) this.signals.emit('deleted', what as RetentionWalk, deleted);
        await sleep(performance.now() - beganAt, stopped);
        if (stopped.aborted) return;
        beganAt = performance.now();
      }
    }
  }
}
