import type { Prisma } from '../generated/prisma/client';
import type { Dispatch } from './claim';

/** The dispatch is no longer the current one: its lease ran out and the job went to another worker. */
export class Fenced extends Error {
  readonly code = 'fenced';

  constructor({ id, dispatch }: Dispatch) {
    super(`Job ${id}, dispatch ${dispatch}, is not this worker's any more; nothing was written.`);
    this.name = 'Fenced';
  }
}

/** First statement of the transaction: a second worker with the same job waits here for the first one's commit. */
export async function recordProcessed(
  tx: Prisma.TransactionClient,
  consumer: string,
  messageId: string,
): Promise<boolean> {
  const rows = await tx.$executeRaw`
    INSERT INTO processed_message (consumer, message_id) VALUES (${consumer}, ${messageId}::uuid)
    ON CONFLICT DO NOTHING`;
  return rows === 1;
}

/** Last statement of the transaction. @throws Fenced which rolls the effect back */
export async function completeInTransaction(
  tx: Prisma.TransactionClient,
  dispatch: Dispatch,
  result: unknown,
): Promise<void> {
  const rows = await tx.$executeRaw`
    WITH completed AS (
      UPDATE job
         SET state = 'completed', sequence = sequence + 1, finished_at = now(), lease_until = NULL, progress = 100,
             result = ${JSON.stringify(result)}::jsonb, error = NULL
       WHERE id = ${dispatch.id}::uuid AND dispatch = ${dispatch.dispatch} AND state = 'active'
      RETURNING id, sequence, state, attempt
    )
    INSERT INTO job_event (job_id, sequence, type, data)
    SELECT id, sequence, 'state', jsonb_build_object('state', state, 'attempt', attempt) FROM completed`;
  if (rows !== 1) throw new Fenced(dispatch);
}
