import { v7 as uuidv7 } from 'uuid';
import type { JobDefinition, PayloadOf, ResultOf } from '@app/contracts';
import { handlerMark, type Handler, type JobContext, type JobOf, type Outcome } from '@app/messaging';

/** What a test may set of the job and its context; the rest has defaults. */
export interface RunJobOptions {
  readonly job?: Partial<Omit<JobOf<JobDefinition>, 'payload'>>;
  readonly signal?: AbortSignal;
  readonly childResults?: readonly unknown[];
  /** Replaces `tx` inside `ctx.transaction`. Without it, a handler that opens a transaction fails. */
  readonly tx?: unknown;
}

export interface JobRun<Result> {
  readonly outcome: Outcome<Result>;
  /** The progress that the handler reported, in order. */
  readonly progress: readonly { readonly percent: number; readonly note: string | undefined }[];
}

/**
 * Runs one attempt of a handler without a broker and a database. Checks payload and result against the definition's
 * schemas, as the pipeline does.
 * @throws the error of the handler, which the pipeline would turn into a retry; ZodError for a payload or a result that
 *   does not fit the definition
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
