import { Client, type Pool } from 'pg';
import { createLedgerPool, DueRows, removePublished, SearchPace, withClient, relayPool } from '@app/ledger';
import { freshDatabase } from '../../support/postgres';
import { endingWith } from '../measuring/ending';
import { printTable, shownRatio, shownSpread } from '../measuring/table';
import { inTurns } from '../measuring/turns';

export interface HeldOptions {
  readonly repeats: number;
  readonly rows: number;
}

/** As the relay takes them. */
const batchSize = 500;
/** The rates are those of the first and of the last rows: this many. */
const measuredRows = 50_000;

interface Rates {
  readonly first: number;
  readonly last: number;
}

const contenders = {
  'no other transaction': { holds: false, cheapMs: undefined },
  'one held open': { holds: true, cheapMs: undefined },
  'one held open, each search from the beginning': { holds: true, cheapMs: Infinity },
} as const;

type Contender = keyof typeof contenders;

/**
 * Takes and removes outbox rows as the relay does, while another transaction stays open that has written: PostgreSQL keeps
 * the removed rows as long as it does.
 */
export async function benchHeld({ repeats, rows }: HeldOptions): Promise<void> {
  const names = Object.keys(contenders) as Contender[];
  const turns = Object.fromEntries(names.map((name) => [name, () => turn(rows, contenders[name])]));
  const results = await inTurns(repeats, turns as Record<Contender, () => Promise<Rates>>);
  process.stdout.write(`\nheld: outbox rows taken and removed a second; ${repeats} turns of ${rows} rows\n`);
  const rates = (name: Contender, which: keyof Rates) => results[name].map((turn) => turn[which]);
  printTable([
    ['', `first ${measuredRows}`, `last ${measuredRows}`, 'last / last without it'],
    ...names.map((name) => [
      name,
      shownSpread(rates(name, 'first'), 0),
      shownSpread(rates(name, 'last'), 0),
      shownRatio(rates(name, 'last'), rates('no other transaction', 'last')),
    ]),
  ]);
}

async function turn(rows: number, { holds, cheapMs }: (typeof contenders)[Contender]): Promise<Rates> {
  const database = await freshDatabase();
  const pool = createLedgerPool(database.url, 'bench', relayPool, 1);
  const other = new Client({ connectionString: database.url });
  await other.connect();
  const close = async (): Promise<void> => {
    await Promise.all([pool.end(), other.end()]);
    await database.drop();
  };
  return endingWith(close, async () => {
    await other.query(
      `INSERT INTO outbox (broker, queue, kind, version, job_id, dispatch, priority, publish_at)
       SELECT 'memory', 'queue', 'kind', 1, gen_random_uuid(), 1, 2, now() - interval '1 hour' + n * interval '1 millisecond'
         FROM generate_series(1, $1::int) n`,
      [rows],
    );
    await other.query('VACUUM ANALYZE outbox');
    if (holds) {
      await other.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      await other.query('SELECT pg_current_xact_id()');
    }
    const due = new DueRows('memory', new SearchPace(cheapMs));
    const first = await perSecond(pool, due, measuredRows);
    await perSecond(pool, due, rows - 2 * measuredRows);
    return { first, last: await perSecond(pool, due, measuredRows) };
  });
}

async function perSecond(pool: Pool, due: DueRows, rows: number): Promise<number> {
  const startedAt = performance.now();
  for (let taken = 0; taken < rows;) {
    taken += await withClient(pool, async (client) => {
      await client.query('BEGIN');
      const found = await due.take(client, batchSize);
      await removePublished(client, found);
      await client.query('COMMIT');
      return found.length;
    });
  }
  return (rows / (performance.now() - startedAt)) * 1_000;
}
