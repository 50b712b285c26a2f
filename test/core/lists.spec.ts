import { jobStates, shownStates, type ShownState } from '@app/contracts';
import { callerPool, countBoardJobs, createLedgerPool, listBoardJobs, listDeadLetters, listJobs } from '@app/ledger';
import type { Pool } from 'pg';
import { freshDatabase, type TestDatabase } from '../support/postgres';

const kinds = ['first.kind', 'second.kind', 'third.kind'];
const tenants = ['shop', 'rival'];

/** The state that a caller sees, computed from the definition of each state and not from an index. */
const shown = `CASE WHEN state <> 'queued' OR run_at <= now() THEN state::text WHEN attempt = 0 THEN 'scheduled' ELSE 'retrying' END`;

describe('a list', () => {
  let database: TestDatabase;
  let pool: Pool;

  beforeAll(async () => {
    database = await freshDatabase();
    pool = createLedgerPool(database.url, 'lists', callerPool, 1);
    // Long stretches of rows with the same state and attempt, and a few rows between them that differ: a page of a
    // rare state skips many rows.
    await pool.query(
      `INSERT INTO job (id, tenant, kind, version, queue, broker, state, priority, attempt, max_attempts, created_at, run_at,
                        lease_until, payload)
       SELECT uuid_v7(moment), tenant, kind, 1, 'email', 'bullmq', state::job_state, 2, attempt, 5, moment,
              moment + waits, CASE WHEN state = 'active' THEN now() END, '{}'
         FROM (SELECT n, now() - (16000 - n) * interval '1 second' AS moment,
                      ($1::text[])[1 + (random() < 0.2)::int] AS tenant,
                      ($2::text[])[1 + n % 3] AS kind,
                      CASE WHEN n % 1000 < 700 OR random() < 0.5 THEN 'queued' ELSE ($3::text[])[1 + floor(random() * 6)] END AS state,
                      (n / 1000 % 2 = 1 OR random() < 0.01)::int AS attempt,
                      CASE WHEN random() < 0.03 THEN interval '0'
                           WHEN random() < CASE WHEN n < 12000 OR n % 3 = 0 THEN 0.97 ELSE 0.03 END THEN interval '1 millisecond'
                           ELSE interval '1 day' END AS waits
                 FROM generate_series(1, 16000) AS n) job_like`,
      [tenants, kinds, jobStates],
    );
  });

  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  async function allPages(tenant: string, state: ShownState | undefined, kind: string | undefined): Promise<string[]> {
    const ids: string[] = [];
    for (let hasMore = true; hasMore;) {
      const page = await listJobs(pool, tenant, { state, kind, before: ids.at(-1), limit: 50 });
      ids.push(...page.jobs.map(({ id }) => id));
      hasMore = page.hasMore;
    }
    return ids;
  }

  it.each([undefined, ...shownStates])(
    'of jobs in the state %s has every job of the tenant once, newest first',
    async (state) => {
      for (const tenant of tenants) {
        for (const kind of [undefined, ...kinds]) {
          const { rows } = await pool.query<{ id: string }>(
            `SELECT id FROM job WHERE tenant = $1 AND ($2::text IS NULL OR ${shown} = $2) AND ($3::text IS NULL OR kind = $3)
            ORDER BY id DESC`,
            [tenant, state ?? null, kind ?? null],
          );
          expect(rows.length).toBeGreaterThan(0);
          expect(await allPages(tenant, state, kind)).toEqual(rows.map(({ id }) => id));
        }
      }
    },
  );

  it('of the board has every job of a kind, and the counts of the board are exact', async () => {
    const { rows } = await pool.query<{ kind: string; state: string; isDue: boolean; count: number; ids: string[] }>(
      `SELECT kind, state, state <> 'queued' OR run_at <= now() AS "isDue", count(*)::int AS count,
              array_agg(id ORDER BY id DESC) AS ids
         FROM job GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
    );
    const counts = (await countBoardJobs.run(pool)).filter(({ count }) => count > 0);
    const found = counts.map(({ kind, state, isDue, count }) => `${kind} ${state} ${isDue} ${count}`);
    expect(found.sort()).toEqual(
      rows.map(({ kind, state, isDue, count }) => `${kind} ${state} ${isDue} ${count}`).sort(),
    );
    for (const { kind, state, isDue, ids } of rows) {
      const filter = { state: state as (typeof jobStates)[number], isDue: state === 'queued' ? isDue : undefined };
      const jobs = await listBoardJobs(pool, kind, [filter], { offset: 10, limit: 100 });
      expect(jobs.map(({ id }) => id)).toEqual(ids.slice(10, 110));
    }
  });

  it('of dead letters has every one that matches the filter once, newest first', async () => {
    await pool.query(
      `INSERT INTO dead_letter (broker, queue, kind, reason, detail, created_at, redriven_at)
       SELECT (ARRAY['bullmq', 'kafka'])[1 + (random() < 0.1)::int], 'email',
              (ARRAY['email.send', 'sms.send', NULL, repeat('é', 4000) || n % 2])[1 + floor(random() * 4)], 'malformed', '',
              now() - floor(random() * 50) * interval '1 second', CASE WHEN random() < 0.1 THEN now() END
         FROM generate_series(1, 500) AS n`,
    );
    for (const kind of [undefined, 'sms.send', 'é'.repeat(4_000) + '1']) {
      for (const broker of [undefined, 'kafka']) {
        for (const isRedriven of [undefined, true, false]) {
          const { rows } = await pool.query<{ id: string }>(
            `SELECT id FROM dead_letter
              WHERE ($1::text IS NULL OR kind = $1) AND ($2::text IS NULL OR broker = $2)
                AND ($3::boolean IS NULL OR (redriven_at IS NOT NULL) = $3)
              ORDER BY created_at DESC, id DESC`,
            [kind, broker, isRedriven],
          );
          const ids: string[] = [];
          for (let page = 20; page === 20;) {
            const found = await listDeadLetters.run(pool, { kind, broker, isRedriven, before: ids.at(-1), limit: 20 });
            ids.push(...found.map(({ id }) => id));
            page = found.length;
          }
          expect(ids).toEqual(rows.map(({ id }) => id));
        }
      }
    }
  });
});
