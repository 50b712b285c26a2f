import { statement, type Database } from '../statement';

export interface ChildResult {
  readonly id: string;
  readonly kind: string;
  readonly result: unknown;
}

const childResultsStatement = statement<ChildResult>('child_results').with(
  { parentId: 'uuid' },
  ($) => `SELECT id, kind, result FROM job WHERE parent_id = ${$.parentId} ORDER BY id`,
);

/** @returns the children's results in the order in which the children were enqueued */
export async function readChildResults(database: Database, parentId: string): Promise<ChildResult[]> {
  return childResultsStatement.run(database, { parentId });
}
