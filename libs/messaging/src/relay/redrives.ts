import type { Pool } from 'pg';
import { stepRedrive, type OutboxWakeUp } from '@app/ledger';
import type { MessagingSignals } from '../messaging-signals';

/** Carries out the redrives that operators have begun, each second a part. Several relays may run it at once. */
export class Redrives {
  constructor(
    private readonly pool: Pool,
    private readonly wakeUp: OutboxWakeUp,
    private readonly signals: MessagingSignals,
  ) {}

  /** One step of each redrive that is due. @throws the database's error */
  async step(stopped: AbortSignal): Promise<void> {
    const done = new Set<string>();
    for (let step = await stepRedrive(this.pool); step; step = await stepRedrive(this.pool)) {
      const { id, state, jobIds, by } = step;
      if (jobIds.length > 0) {
        this.wakeUp.request();
        this.signals.emit('redriven', jobIds, by);
      }
      if (state !== 'running') this.signals.emit('redrive_ended', id, state);
      // A slow database may have made it due again.
      if (stopped.aborted || done.has(id)) return;
      done.add(id);
    }
  }
}
