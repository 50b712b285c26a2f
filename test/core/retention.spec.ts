import { done, fail } from '@app/messaging';
import { allStatements, keepForever, ledgerRetention, redrive, retentionPage, type RetentionAges } from '@app/ledger';
import { Retention } from '../../libs/messaging/src/relay/retention';
import { startCore, tenant, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';
import { until } from '../support/until';

const dayMs = 24 * 3_600 * 1_000;
const ages = { endedMs: 30 * dayMs, failedMs: 90 * dayMs, dedupeMs: 30 * dayMs, auditMs: 365 * dayMs };

describe('the retention', () => {
  let core: Core;
  const good = plainJob();
  const bad = plainJob({ attempts: 1 });
  const parent = plainJob({ attempts: 1 });
  let isBad = true;

  beforeEach(async () => {
    isBad = true;
    core = await startCore(
      [
        [good, () => Promise.resolve(done({ n: 1 }))],
        [bad, () => Promise.resolve(isBad ? fail('broken') : done({ n: 1 }))],
        [parent, () => Promise.resolve(fail('broken'))],
      ],
      { clock: true },
    );
  });

  afterEach(() => core.close());

  const walk = (given: RetentionAges = ages) =>
    new Retention(core.pool, { walks: ledgerRetention, ages: given }, core.signals).run(new AbortController().signal);

  /** In how many rows of each table the job is. */
  async function rowsOf(id: string): Promise<Record<string, number>> {
    const columns = {
      job: 'id',
      job_update: 'job_id',
      idempotency_key: 'job_id',
      processed_message: 'message_id',
      dead_letter: 'job_id',
    };
    const counts = Object.entries(columns).map(async ([table, column]) => {
      const { rowCount } = await core.pool.query(`SELECT FROM ${table} WHERE ${column} = $1`, [id]);
      return [table, rowCount!] as const;
    });
    return Object.fromEntries(await Promise.all(counts));
  }

  const nothing = { job: 0, job_update: 0, idempotency_key: 0, processed_message: 0, dead_letter: 0 };

  it('deletes a completed job with all its rows when it is old enough, and a repeated request then makes a new job', async () => {
    const request = { tenant, idempotency: { route: 'POST /plain', key: 'one', body: {} } };
    const { id } = await core.jobs.enqueue(good, { n: 1 }, request);
    await core.ended(id);
    const before = await rowsOf(id);
    expect(before).toEqual({ job: 1, job_update: 3, idempotency_key: 1, processed_message: 1, dead_letter: 0 });
    await core.clock!.advance('29d');
    await walk();
    expect(await rowsOf(id)).toEqual(before);
    await core.clock!.advance('2d');
    await walk();
    expect(await rowsOf(id)).toEqual(nothing);
    const again = await core.jobs.enqueue(good, { n: 1 }, request);
    expect([again.replayed, again.id === id]).toEqual([false, false]);
  });

  it('keeps a failed job longer, so that it can be redriven, and then deletes it with its dead letter', async () => {
    const [id, other] = [await core.enqueue(bad, { n: 1 }), await core.enqueue(bad, { n: 2 })];
    await Promise.all([core.ended(id), core.ended(other)]);
    await core.clock!.advance('89d');
    await walk();
    isBad = false;
    await redrive.run(core.pool, { ids: [id], kind: undefined, broker: undefined, before: undefined, by: 'test' });
    core.wakeUp.request();
    await until(
      'it is completed',
      () => core.read(id),
      ({ state }) => state === 'completed',
    );
    await core.clock!.advance('2d');
    await walk();
    expect((await rowsOf(id))['job']).toBe(1);
    expect(await rowsOf(other)).toEqual(nothing);
  });

  it('keeps a job that has not ended, however old it is', async () => {
    const id = await core.enqueue(good, { n: 1 }, { delayMs: 360 * dayMs });
    await core.clock!.advance('200d');
    await walk();
    expect((await rowsOf(id))['job']).toBe(1);
  });

  it('keeps a child while its parent exists', async () => {
    const flow = await core.jobs.enqueueFlow(parent, { n: 0 }, [{ definition: good, payload: { n: 1 } }], { tenant });
    await core.ended(flow.id);
    const { rows } = await core.pool.query<{ id: string }>('SELECT id FROM job WHERE parent_id = $1', [flow.id]);
    await core.clock!.advance('31d');
    await walk();
    expect((await rowsOf(rows[0]!.id))['job']).toBe(1);
    await core.clock!.advance('60d');
    await walk();
    await walk();
    expect([(await rowsOf(flow.id))['job'], (await rowsOf(rows[0]!.id))['job']]).toEqual([0, 0]);
  });

  it('deletes nothing without an age', async () => {
    const id = await core.enqueue(good, { n: 1 });
    await core.ended(id);
    await core.clock!.advance('366d');
    await walk(keepForever);
    expect((await rowsOf(id))['job']).toBe(1);
    // Nor does it read any: it would do so every minute.
    const pages: number[] = [];
    for await (const page of ledgerRetention.jobs(core.pool, keepForever)) pages.push(page);
    expect(pages).toEqual([0]);
  });

  it('walks through several pages, and counts what it deletes', async () => {
    const count = 2 * retentionPage + 10;
    await core.pool.query(
      `INSERT INTO job (id, tenant, kind, version, queue, broker, state, priority, max_attempts, created_at, run_at, finished_at, payload)
       SELECT uuid_v7(moment), 'test', 'old', 1, 'old', 'memory', 'completed', 2, 1, moment, moment, moment, '{}'
         FROM generate_series(1, ${count}) AS number, LATERAL (SELECT now() - interval '40 days' + number * interval '1 ms') AS at(moment)`,
    );
    const deleted: number[] = [];
    core.signals.on('deleted', (what, rows) => what === 'jobs' && deleted.push(rows));
    await walk();
    expect(deleted).toEqual([retentionPage, retentionPage, 10]);
  });

  it.each([
    ['retention_jobs', [ages.endedMs, ages.failedMs]],
    ['retention_dedupe', ['00000000-0000-0000-0000-000000000000', ages.dedupeMs]],
  ])('reads no table from end to end for a page (%s)', async (name, values) => {
    await core.pool.query(
      `WITH made AS (
         INSERT INTO job (id, tenant, kind, version, queue, broker, state, priority, max_attempts, created_at, run_at, finished_at, payload)
         SELECT uuid_v7(moment), 'test', 'old', 1, 'old', 'memory', 'completed', 2, 1, moment, moment, moment, '{}'
           FROM generate_series(1, 20000) AS number, LATERAL (SELECT now() - interval '40 days' + number * interval '1 ms') AS at(moment)
         RETURNING id
       ), updates AS (
         INSERT INTO job_update (job_id, sequence, type, data, tenant) SELECT id, 1, 'state', '{}', 'test' FROM made
       ), keys AS (
         INSERT INTO idempotency_key (tenant, route, key, body_hash, job_id) SELECT 'test', 'POST /old', id::text, 'x', id FROM made
       )
       INSERT INTO processed_message (consumer, message_id) SELECT 'old', id FROM made`,
    );
    await core.pool.query('ANALYZE job, job_update, idempotency_key, processed_message');
    const { text } = allStatements().find((one) => one.name === name)!;
    const first = name === 'retention_jobs' ? '00000000-0000-0000-0000-000000000000' : '';
    const { rows } = await core.pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, [first, ...values]);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toContain('job_pkey');
    expect(plan).not.toMatch(/Seq Scan on (job|job_update|idempotency_key|processed_message)\b/);
  });

  it('deletes an old unreadable message and the dedupe row of an old event', async () => {
    await core.pool.query(
      `INSERT INTO dead_letter (broker, queue, reason, detail, raw, created_at)
       SELECT 'memory', 'q', 'malformed', 'no JSON', 'x', now() - days * interval '1 day' FROM unnest(ARRAY[89, 91]) AS days`,
    );
    await core.pool.query(
      `INSERT INTO processed_message (consumer, message_id, processed_at)
       SELECT 'ada', gen_random_uuid(), now() - days * interval '1 day' FROM unnest(ARRAY[29, 31]) AS days`,
    );
    await walk();
    const count = async (table: string) => (await core.pool.query(`SELECT FROM ${table}`)).rowCount;
    expect([await count('dead_letter'), await count('processed_message')]).toEqual([1, 1]);
  });

  it('goes on with the next walk when one fails', async () => {
    const failed = core.next('retention_failed');
    const deleted = core.next('deleted');
    const walks = {
      // eslint-disable-next-line require-yield -- it fails first
      async *files() {
        await Promise.reject(new Error('the store is away'));
      },
      async *others() {
        yield await Promise.resolve(7);
      },
    };
    await new Retention(core.pool, { walks, ages }, core.signals).run(new AbortController().signal);
    expect((await failed).slice(0, 2)).toEqual(['files', new Error('the store is away')]);
    expect(await deleted).toEqual(['others', 7]);
  });

  it('deletes what operators did after a year', async () => {
    const insert = "INSERT INTO audit_entry (actor, action, subject, detail) VALUES ('ada', 'redrive.begin', $1, '{}')";
    await core.pool.query(insert, ['old']);
    await core.clock!.advance('200d');
    await core.pool.query(insert, ['young']);
    await walk();
    await core.clock!.advance('166d');
    await walk();
    const { rows } = await core.pool.query('SELECT subject FROM audit_entry');
    expect(rows).toEqual([{ subject: 'young' }]);
  });
});
