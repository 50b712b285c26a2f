import { statement } from '../statement';

export interface ChildResult {
  readonly id: string;
  readonly kind: string;
  readonly result: unknown;
}

/** Reads the children's results in the order in which the children were enqueued. */
export const readChildResults = statement<ChildResult>('child_results').with(
  { parentId: 'uuid' },
  ($) => `SELECT id, kind, result FROM job WHERE parent_id = ${$.parentId} ORDER BY id`,
);
