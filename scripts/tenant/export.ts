import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { once } from 'node:events';
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
  let table: string | undefined;
  let file: WriteStream | undefined;
  const endFile = async () => {
    if (file) await finished(file.end());
  };
  for await (const { table: next, rows } of readTenantRows(pool, tenant)) {
    if (next !== table) {
      await endFile();
      table = next;
      file = createWriteStream(join(folder, `${next}.ndjson`), { mode: 0o600 });
    }
    counts[next] = (counts[next] ?? 0) + rows.length;
    if (!file!.write(rows.map((row) => `${row}\n`).join(''))) await once(file!, 'drain');
  }
  await endFile();
  for (const part of outside) counts[part.what] = await part.save(pool, tenant, join(folder, part.what));
  if (Object.values(counts).every((count) => count === 0)) {
    throw new Error(`found nothing of a tenant "${tenant}": expected a tenant that has used the system.`);
  }
  await auditTenant.run(pool, { action: 'tenant.export', tenant, detail: JSON.stringify({ counts }) });
  for (const [what, count] of Object.entries(counts)) say(`${what}: ${count}`);
}
