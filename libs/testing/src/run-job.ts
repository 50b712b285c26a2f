import { v7 as uuidv7 } from 'uuid';
import type { JobDefinition, PayloadOf, ResultOf } from '@app/contracts';
import { handlerMark, type Handler, type JobContext, type JobOf, type Outcome } from '@app/messaging';

/** What a test may set of the job and its context; the rest is made up. */
export interface RunJobOptions {
  readonly job?: Partial<Omit<JobOf<JobDefinition>, 'payload'>>;
  readonly signal?: AbortSignal;
  readonly childResults?: readonly unknown[];
  /** What stands in for `tx` inside `ctx.transaction`; without it a handler that asks for one fails. */
  readonly tx?: unknown;
}

export interface JobRun<Result> {
  readonly outcome: Outcome<Result>;
  /** What the handler said of its progress, in order. */
  readonly progress: readonly { readonly percent: number; readonly note: string | undefined }[];
}

/**
 * Runs one attempt of a handler with a context of its own: no broker, no database. Payload and result are held to the
 * definition's schemas, as the pipeline does it.
 * @throws what the handler throws, which the pipeline would make a retry; ZodError for a payload or a result that is
 *   not what the definition promises
 */
export async function runJob<D extends JobDefinition>(
  handler: Handler<D>,
  payload: PayloadOf<D>,
  { job = {}, signal = new AbortController().signal, childResults = [], tx }: RunJobOptions = {},
): Promise<JobRun<ResultOf<D>>> {
  const definition = Reflect.getMetadata(handlerMark.KEY, handler.constructor) as D | undefined;
  if (!definition) throw new TypeError(`Expected a class with @JobHandler, got ${handler.constructor.name}.`);
  const id = job.id ?? uuidv7();
  const progress: { percent: number; note: string | undefined }[] = [];
  const context: JobContext = {
    effectKey: id,
    signal,
    progress: (percent, note) => progress.push({ percent, note }),
    childResults: () =>
      Promise.resolve(childResults.map((result) => ({ id: uuidv7(), kind: definition.kind, result }))),
    transaction: (work) => {
      if (tx === undefined) throw new TypeError('This handler uses ctx.transaction: give runJob a `tx`.');
      return work(tx as never);
    },
  };
  const outcome = await handler.handle(
    {
      id,
      kind: definition.kind,
      tenant: 'test',
      attempt: 1,
      maxAttempts: definition.retry.attempts,
      createdAt: new Date(),
      ...job,
      payload: definition.payload.parse(payload) as PayloadOf<D>,
    },
    context,
  );
  if (outcome.type === 'done') definition.result.parse(outcome.result);
  return { outcome, progress };
}
