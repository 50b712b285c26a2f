import '../../libs/configuration/src/check-node.cjs';
import { parseArgs } from 'node:util';
import type { Pool } from 'pg';
import { adoptGeneration, closeGeneration, compareGeneration, findReplay } from '@app/features/product';
import { createPool } from '@app/ledger';
import { databaseUrl } from '../postgres/database-url';

const usage = `npm run replay -- NAME             how far the replay of this name has come
npm run replay -- NAME --adopt     searches read it from now on, for each tenant that is not behind
npm run replay -- NAME --give-up   gives it up: no process writes to it; stop its process first
`;

/**
 * Reports how complete the model of a `SYNC_REPLAY` process is. `--adopt` makes it the model in use, `--give-up`
 * abandons it. See docs/sync-and-search.md.
 */
async function main(args: string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { adopt: { type: 'boolean' }, 'give-up': { type: 'boolean' } },
  });
  const [name] = positionals;
  if (name === undefined || positionals.length > 1) {
    refuse('Expected the name of one replay.');
    return;
  }
  const pool = createPool(databaseUrl(), { application_name: 'replay', max: 1, connectionTimeoutMillis: 10_000 });
  try {
    const generation = await findReplay(pool, name);
    if (generation === undefined) refuse(`There is no replay "${name}": start one with SYNC_REPLAY=${name}.`);
    else if (values['give-up']) await closeGeneration.run(pool, { id: generation });
    else await report(pool, generation, values.adopt === true);
  } finally {
    await pool.end();
  }
}

async function report(pool: Pool, generation: bigint, adopt: boolean): Promise<void> {
  const tenants = await compareGeneration.run(pool, { id: generation });
  let left = 0;
  for (const { tenant, products, behind } of tenants) {
    const adopted = adopt && (await adoptGeneration(pool, generation, tenant));
    if (!adopted) left += 1;
    process.stdout.write(`${tenant}: ${products} products, ${behind} behind${adopted ? ', adopted' : ''}\n`);
  }
  if (!adopt) return;
  if (left > 0) {
    refuse(`${left} of ${tenants.length} tenants are not adopted: wait, and ask again.`);
    return;
  }
  await closeGeneration.run(pool, { id: generation });
  process.stdout.write('all tenants read it; its process can be stopped\n');
}

function refuse(why: string): void {
  process.stderr.write(`replay: ${why}\n${usage}`);
  process.exitCode = 1;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`replay: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
