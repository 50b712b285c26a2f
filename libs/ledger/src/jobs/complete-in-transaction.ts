import { inTransaction, statement } from '../statement';
import type { Transaction } from '../transaction';
import type { Dispatch } from './claim';
import { recordEnds } from './sql-parts';

/** The worker is fenced: its lease expired and the dispatch is no longer the current one. */
export class Fenced extends Error {
  readonly code = 'fenced';

  constructor({ id, dispatch }: Dispatch) {
    super(`Job ${id}, dispatch ${dispatch}, no longer belongs to this worker; nothing was written.`);
    this.name = 'Fenced';
  }
}

const completeStatement = statement<{ id: string }>('complete').with(
  { id: 'uuid', dispatch: 'int', result: 'jsonb' },
  ($) => `WITH completed AS (
     UPDATE job
        SET state = 'completed', sequence = sequence + 1, finished_at = now(), lease_until = NULL, progress = 100,
            result = ${$.result}, error = NULL
      WHERE id = ${$.id} AND dispatch = ${$.dispatch} AND state = 'active'
     RETURNING job.*
   ), ${recordEnds('completed')}
   SELECT id FROM completed`,
);

/**
 * Completes a job in the transaction of its effect. Must be the last statement of the transaction.
 * @param result stored as jsonb
 * @throws Fenced when the dispatch is not current; this rolls the effect back
 */
export async function completeInTransaction(tx: Transaction, dispatch: Dispatch, result: unknown): Promise<void> {
  const completed = await completeStatement.run(inTransaction(tx), { ...dispatch, result: JSON.stringify(result) });
  if (completed.length !== 1) throw new Fenced(dispatch);
}
