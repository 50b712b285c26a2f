import { createHash } from 'node:crypto';
import type { JobDefinition } from './define-job';

const longestPlainKey = 200;

/** What the ledger orders a job by, if its definition asks for it: of its kind and its tenant, as short as an index needs. */
export function orderKeyOf(definition: JobDefinition, tenant: string, payload: unknown): string | undefined {
  const key = definition.orderBy?.(payload as never);
  if (key === undefined) return undefined;
  const shortKey = key.length > longestPlainKey ? createHash('sha256').update(key).digest('base64url') : key;
  return `${tenant}/${definition.kind}/${shortKey}`;
}
