import { createHash } from 'node:crypto';
import type { JobDefinition } from './define-job';

const longestPlainKey = 200;

/**
 * @returns the order key for the ledger, unique to the kind and the tenant and short enough for an index; undefined
 *   when the definition has no `orderBy`
 */
export function orderKeyOf(definition: JobDefinition, tenant: string, payload: unknown): string | undefined {
  const key = definition.orderBy?.(payload as never);
  if (key === undefined) return undefined;
  const shortKey = key.length > longestPlainKey ? createHash('sha256').update(key).digest('base64url') : key;
  return `${tenant}/${definition.kind}/${shortKey}`;
}
