import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { readSettings } from '@app/configuration';
import { auditTenant, cancelTenantJobs, deleteTenantRows } from '@app/ledger';
import type { OutsideData } from './outside-data';

/** How often it looks whether the jobs that run have stopped, in milliseconds. */
const lookEveryMs = 1_000;

/**
 * Cancels the jobs of a tenant, waits for those that run, and deletes its files and rows. Interrupted or failed, it goes on
 * when it is called again.
 * @param confirmed the tenant once more, as the caller wrote it
 * @throws Error, with what was expected
 */
export async function eraseTenant(
  pool: Pool,
  tenant: string,
  confirmed: string | undefined,
  outside: readonly OutsideData[],
  say: (line: string) => void,
): Promise<void> {
  if (confirmed !== tenant) {
    throw new Error(`expected --confirm ${tenant}, got ${confirmed ?? 'nothing'}: what is erased cannot be restored.`);
  }
  if (readSettings(['API_KEYS']).API_KEYS?.some((key) => key.tenant === tenant)) {
    throw new Error(
      `expected no key of ${tenant} in API_KEYS, or new jobs may arrive meanwhile: take it out, and restart the API.`,
    );
  }
  const counts: Record<string, number> = {};
  const count = (what: string, more: number) => (counts[what] = (counts[what] ?? 0) + more);
  // A second round for what a handler has written between the rounds.
  for (let found = -1; found !== 0;) {
    for (let running: number; (running = await cancelTenantJobs(pool, tenant)) > 0;) {
      say(`waiting for ${running} jobs that run`);
      await sleep(lookEveryMs);
    }
    for (const part of outside) count(part.what, await part.remove(pool, tenant));
    found = 0;
    for await (const { table, deleted } of deleteTenantRows(pool, tenant)) {
      count(table, deleted);
      found += deleted;
    }
  }
  const removed = Object.fromEntries(Object.entries(counts).filter(([, number]) => number > 0));
  await auditTenant.run(pool, { action: 'tenant.erase', tenant, detail: JSON.stringify({ counts: removed }) });
  for (const [what, number] of Object.entries(removed)) say(`${what}: ${number} deleted`);
  say(`docs/operations.md says what of ${tenant} is left outside of these tables`);
}
