import { jsonFault } from '@app/ledger';
import type { Outcome } from '../handlers/outcome';
import { retryUntilDatabaseUp } from '../../retry-until-database-up';
import type { WorkerDependencies } from './worker-dependencies';

/**
 * Finds out whether a write failed because of the handler's result. Asks PostgreSQL about this value, since the error
 * of a statement with many values does not say which value caused it.
 * @returns `fail`, because another attempt would return the same result; undefined when the result can be stored
 */
export async function refusedResult(
  { pool, signals }: Pick<WorkerDependencies, 'pool' | 'signals'>,
  result: unknown,
): Promise<Extract<Outcome, { type: 'fail' }> | undefined> {
  const fault = await retryUntilDatabaseUp('settle', signals, () => jsonFault(pool, result));
  if (fault === undefined) return undefined;
  const reason = `The handler returned a result that PostgreSQL does not store as JSON: ${fault}`;
  return { type: 'fail', code: 'result_not_storable', reason };
}
