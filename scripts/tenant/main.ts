import '../../libs/configuration/src/check-node.cjs';
import { parseArgs } from 'node:util';
import { createPool } from '@app/ledger';
import { databaseUrl } from '../postgres/database-url';
import { eraseTenant } from './erase';
import { exportTenant } from './export';
import { files } from './files';
import type { OutsideData } from './outside-data';

const usage = `npm run tenant -- export NAME FOLDER          writes everything of a tenant into a new folder
npm run tenant -- erase NAME --confirm NAME   deletes everything of a tenant; it cannot be undone
`;

const outside: readonly OutsideData[] = [files];

/** Hands out or deletes all data of one tenant. See docs/operations.md. */
async function main(args: string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { confirm: { type: 'string' } },
  });
  const [verb, tenant, folder, ...rest] = positionals;
  if (tenant === undefined || rest.length > 0) throw new Error(`expected one of\n${usage}`);
  const pool = createPool(databaseUrl(), { application_name: 'tenant', max: 2, connectionTimeoutMillis: 10_000 });
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  try {
    if (verb === 'export' && folder !== undefined) await exportTenant(pool, tenant, folder, outside, say);
    else if (verb === 'erase' && folder === undefined) await eraseTenant(pool, tenant, values.confirm, outside, say);
    else throw new Error(`expected one of\n${usage}`);
  } finally {
    await pool.end();
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`tenant: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
