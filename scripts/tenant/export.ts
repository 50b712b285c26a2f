import { appendFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { auditTenant, readTenantRows } from '@app/ledger';
import type { OutsideData } from './outside-data';

/**
 * Writes every row of a tenant into `FOLDER/TABLE.ndjson`, one JSON object per line, and what is outside of PostgreSQL
 * into a folder of its own, such as `FOLDER/files`.
 * @param folder must not exist, so that two exports do not mix
 * @throws Error, with what was expected
 */
export async function exportTenant(
  pool: Pool,
  tenant: string,
  folder: string,
  outside: readonly OutsideData[],
  say: (line: string) => void,
): Promise<void> {
  // Only its owner reads it.
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
    throw new Error(
      `expected a folder that does not exist yet, in one that does, got ${folder} (${(error as NodeJS.ErrnoException).code}).`,
    );
  });
  const counts: Record<string, number> = {};
  for await (const { table, rows } of readTenantRows(pool, tenant)) {
    counts[table] = (counts[table] ?? 0) + rows.length;
    const lines = rows.map((row) => `${row}\n`).join('');
    await appendFile(join(folder, `${table}.ndjson`), lines, { mode: 0o600 });
  }
  for (const part of outside) counts[part.what] = await part.save(pool, tenant, join(folder, part.what));
  if (Object.values(counts).every((count) => count === 0)) {
    await rm(folder, { recursive: true });
    throw new Error(`found nothing of a tenant "${tenant}": expected a tenant that has used the system.`);
  }
  await auditTenant.run(pool, { action: 'tenant.export', tenant, detail: JSON.stringify({ counts }) });
  for (const [what, count] of Object.entries(counts)) say(`${what}: ${count}`);
}
