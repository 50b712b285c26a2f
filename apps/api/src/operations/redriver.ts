import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { priorities, type JobDefinition, type RequestableBroker } from '@app/contracts';
import { jobDefinitions } from '@app/features/catalogue';
import { invalidBody, Problem, quoted, toFieldErrors } from '@app/http';
import { JobsService, MessagingSignals } from '@app/messaging';
import {
  inTransaction,
  jsonFault,
  lockDeadLetter,
  readDeadLetter,
  OutboxWakeUp,
  redrive,
  redrivenAs,
  Transactions,
  type DeadLetter,
  type LockedDeadLetter,
  type RedriveSelection,
} from '@app/ledger';

type Priority = keyof typeof priorities;

export interface RedriveResult {
  readonly redriven: { id: string; jobId: string }[];
  readonly refused: { id: string; code: string; message: string }[];
}

const refusals = {
  unreadable: 'This message could not be read, so there is no job to run. Send it again in a valid form.',
  not_failed: 'Its job is not failed any more: it was redriven before.',
  child_cancelled:
    'One of its child jobs was cancelled or discarded, so it would wait for ever. Request the flow again.',
  not_found: 'No dead letter with this id, or of this job, is left to redrive.',
};

/** Redrives failed jobs and records the operator who requested it. */
@Injectable()
export class Redriver {
  constructor(
    private readonly pool: Pool,
    private readonly transactions: Transactions,
    private readonly jobs: JobsService,
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

  /**
   * Runs the job of a dead letter again, with all its attempts and the same effect key.
   * @returns the id of the job
   * @throws Problem 404 without such a dead letter, 409 when its job cannot run again
   */
  async redriveOne(id: string, by: string): Promise<string> {
    const letter = await readDeadLetter(this.pool, id);
    if (!letter) throw deadLetterNotFound(id);
    assertOpen(letter);
    const selection = { ids: [id], kind: undefined, broker: undefined, before: undefined };
    const { redriven, refused } = await this.redrive(selection, by);
    if (redriven[0]) return redriven[0].jobId;
    const { code, message } = refused[0]!;
    throw refusal(code, message);
  }

  /**
   * Makes a new job of a dead letter, with another payload, in the commit that marks the dead letter as redriven. The new
   * job has an effect key of its own: an effect outside that the failed job already had may happen again.
   * @returns the id of the new job
   * @throws Problem 400 when the payload is invalid, 404 without such a dead letter, 409 when its job cannot run again
   */
  async redriveEdited(id: string, payload: object, by: string): Promise<string> {
    const fault = await jsonFault(this.pool, payload);
    if (fault !== undefined) throw invalidBody([{ path: 'payload', message: `cannot be stored: ${fault}` }]);
    const { job, tenant } = await this.transactions.$transaction(async (tx) => {
      const [letter] = await lockDeadLetter.run(inTransaction(tx), { id });
      if (!letter) throw deadLetterNotFound(id);
      assertOpen(letter);
      const definition = definitionOf(letter);
      const parsed = definition.payload.safeParse(payload);
      if (!parsed.success) {
        throw invalidBody(
          toFieldErrors(parsed.error.issues.map((one) => ({ ...one, path: ['payload', ...one.path] }))),
        );
      }
      const job = await this.jobs.enqueueWithin(tx, definition, parsed.data, {
        tenant: letter.tenant!,
        traceparent: letter.traceparent ?? undefined,
        options: { broker: letter.broker as RequestableBroker, priority: priorityOf(letter) },
      });
      await redrivenAs.run(inTransaction(tx), { id, jobId: job.id, by });
      return { job, tenant: letter.tenant! };
    });
    this.jobs.committed([job], tenant);
    this.signals.emit('redriven', [job.id], by);
    return job.id;
  }
}

const refusal = (code: string, detail: string) => new Problem(409, code, 'This dead letter cannot be redriven', detail);

/** @throws Problem 409 when it was redriven or discarded */
function assertOpen(letter: Pick<DeadLetter, 'redrivenAt' | 'redrivenAs' | 'discardedAt'>): void {
  if (letter.redrivenAt !== null) {
    const newJob = letter.redrivenAs === null ? '' : `, as the job ${letter.redrivenAs}`;
    throw refusal('redriven', `It was redriven before${newJob}.`);
  }
  if (letter.discardedAt !== null) throw refusal('discarded', 'It was discarded.');
}

/** @throws Problem 409 when no new job can be made of the dead letter */
function definitionOf({ jobId, kind, isInFlow }: LockedDeadLetter): JobDefinition {
  if (jobId === null) throw refusal('unreadable', refusals.unreadable);
  if (isInFlow) {
    const detail = 'Its job is a part of a flow, whose other jobs know its id. Request the whole flow again.';
    throw refusal('in_flow', detail);
  }
  const definition = jobDefinitions.find((one) => one.kind === kind);
  if (!definition) throw refusal('unknown_kind', `No job of the kind "${kind!}" is defined any more.`);
  if (!definition.replaceable) {
    const detail = `A job of the kind "${definition.kind}" has rows of its own, which a new job would not have.`;
    throw refusal('not_replaceable', `${detail} Redrive it unchanged.`);
  }
  return definition;
}

/** undefined: the priority that a job has without a wish. Not every broker takes a wish. */
function priorityOf({ priority }: LockedDeadLetter): Priority | undefined {
  const [name] = Object.entries(priorities).find(([, value]) => value === priority) ?? [];
  return name === 'normal' ? undefined : (name as Priority | undefined);
}

export function deadLetterNotFound(id: string): Problem {
  return new Problem(
    404,
    'dead_letter_not_found',
    'There is no such dead letter',
    `No dead letter has the id ${quoted(id)}.`,
  );
}
