import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { MessagingSignals } from '@app/messaging';
import { OutboxWakeUp, redrive, type RedriveSelection } from '@app/ledger';

export interface RedriveResult {
  readonly redriven: { id: string; jobId: string }[];
  readonly refused: { id: string; code: string; message: string }[];
}

const refusals = {
  unreadable: 'This message could not be read, so there is no job to run. Send it again in a valid form.',
  not_failed: 'Its job is not failed any more: it was redriven before.',
  child_cancelled: 'One of its child jobs was cancelled, so it would wait for ever. Request the whole flow again.',
  not_found: 'No dead letter with this id, or of this job, is left to redrive.',
};

/** Redrives failed jobs and records the operator who requested it. */
@Injectable()
export class Redriver {
  constructor(
    private readonly pool: Pool,
    private readonly wakeUp: OutboxWakeUp,
    private readonly signals: MessagingSignals,
  ) {}

  async redrive(selection: RedriveSelection, by: string): Promise<RedriveResult> {
    const found = await redrive.run(this.pool, { ...selection, by });
    const redriven = found.flatMap(({ id, jobId, becomes }) => (becomes === 'redriven' ? [{ id, jobId: jobId! }] : []));
    if (redriven.length > 0) {
      this.wakeUp.request();
      this.signals.emit(
        'redriven',
        redriven.map(({ jobId }) => jobId),
        by,
      );
    }
    const known = new Set(found.flatMap(({ id, jobId }) => [id, jobId]));
    const missing = (selection.ids ?? []).filter((id) => !known.has(id.toLowerCase()));
    const refused = [
      ...found.flatMap(({ id, becomes }) => (becomes === 'redriven' ? [] : [{ id, code: becomes }])),
      ...missing.map((id) => ({ id, code: 'not_found' as const })),
    ];
    return { redriven, refused: refused.map(({ id, code }) => ({ id, code, message: refusals[code] })) };
  }
}
