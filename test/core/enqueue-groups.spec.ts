import { z } from 'zod';
import { defineJob, fixed } from '@app/contracts';
import type { AcceptedJob } from '@app/ledger';
import { done, type EnqueueRequest } from '@app/messaging';
import { Client } from 'pg';
import { startCore, tenant, uniqueName, type Core } from '../support/core';
import { until } from '../support/until';

const name = uniqueName();
const job = defineJob({
  kind: `${name}.run`,
  version: 1,
  queue: name,
  broker: 'memory',
  payload: z.strictObject({ text: z.string() }),
  result: z.strictObject({}),
  retry: fixed({ attempts: 3, delay: '20ms' }),
  timeout: '30s',
  concurrency: 1,
});

describe('requests of the same moment', () => {
  let core: Core;

  beforeEach(async () => {
    core = await startCore([[job, () => Promise.resolve(done({}))]], { relay: false, worker: false });
  });

  afterEach(() => core.close());

  const enqueue = (text: string, request: Partial<EnqueueRequest> = {}): Promise<AcceptedJob> =>
    core.jobs.enqueue(job, { text }, { tenant, ...request });

  const keyed = (key: string, body: string): Partial<EnqueueRequest> => ({
    idempotency: { route: 'POST /', key, body },
  });

  const enqueues = async (): Promise<number> =>
    (
      await core.pool.query<{ calls: number }>(
        `SELECT coalesce(sum(calls), 0)::int AS calls FROM pg_stat_statements
          WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND query LIKE 'WITH named AS%'`,
      )
    ).rows[0]!.calls;

  const jobs = async (): Promise<{ id: string; text: string }[]> =>
    (await core.pool.query<{ id: string; text: string }>(`SELECT id, payload->>'text' AS text FROM job ORDER BY id`))
      .rows;

  it('share one statement, and each gets its own job, with ids in the order of the requests', async () => {
    const texts = Array.from({ length: 50 }, (_, n) => `text ${n}`);
    const before = await enqueues();
    const accepted = await Promise.all(texts.map((text) => enqueue(text)));
    expect((await enqueues()) - before).toBe(1);
    expect(accepted).toEqual(accepted.map(() => expect.objectContaining({ state: 'queued', replayed: false })));
    expect(await jobs()).toEqual(accepted.map(({ id }, n) => ({ id, text: texts[n] })));
  });

  it('write the rows that each would write alone', async () => {
    const requests: Partial<EnqueueRequest>[] = [
      {},
      { options: { delayMs: 60_000, priority: 'high' }, tenant: 'other' },
      { options: { runAt: '2100-01-01T12:00:00.000+05:45' } },
      { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
      keyed('"a" \\ key', 'body'),
    ];
    /** What the tables hold now, without ids. Times are those after the start of the transaction. */
    const takeRows = async (): Promise<unknown[]> => {
      const { rows } = await core.pool.query(
        `SELECT to_jsonb(job) - ARRAY['id', 'created_at', 'run_at'] AS job, run_at - created_at AS delay,
                CASE WHEN run_at > now() + interval '1 year' THEN run_at END AS run_at,
                to_jsonb(outbox) - ARRAY['id', 'job_id', 'publish_at'] AS outbox, publish_at = run_at AS is_due_at_run,
                to_jsonb(job_update) - ARRAY['id', 'job_id', 'at', 'data', 'xid', 'position'] AS job_update,
                data - 'runAt' AS data, to_jsonb(idempotency_key) - ARRAY['job_id', 'created_at'] AS key
           FROM job
           JOIN outbox ON outbox.job_id = job.id
           JOIN job_update ON job_update.job_id = job.id
           LEFT JOIN idempotency_key ON idempotency_key.job_id = job.id
          ORDER BY payload`,
      );
      await core.pool.query('TRUNCATE job, outbox, job_update, idempotency_key');
      return rows.map(({ run_at, delay, ...row }) => ({ ...row, run_at, delay: run_at ? 'until then' : delay }));
    };
    for (const [n, request] of requests.entries()) await enqueue(`"${n}"\n\\`, request);
    const alone = await takeRows();
    expect(alone).toHaveLength(requests.length);
    await Promise.all(requests.map((request, n) => enqueue(`"${n}"\n\\`, request)));
    expect(await takeRows()).toEqual(alone);
  });

  it('with the same key get one job, in one group and in several', async () => {
    const same = () => Array.from({ length: 120 }, (_, n) => enqueue('same', keyed(`key ${n % 3}`, 'same')));
    const accepted = await Promise.all(same());
    expect(await jobs()).toHaveLength(3);
    expect(new Set(accepted.map(({ id }) => id)).size).toBe(3);
    expect(accepted.filter(({ replayed }) => !replayed)).toHaveLength(3);
    await expect(
      Promise.all([enqueue('a', keyed('key 0', 'a')), enqueue('b', keyed('key 9', 'b'))]),
    ).rejects.toMatchObject({
      code: 'idempotency_key_reused',
    });
  });

  it('do not fail with the one that PostgreSQL refuses', async () => {
    const outcomes = await Promise.allSettled(['one', 'zero \u0000 byte', 'two'].map((text) => enqueue(text)));
    expect(outcomes).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: '22P05' } },
      { status: 'fulfilled' },
    ]);
    expect((await jobs()).map(({ text }) => text).sort()).toEqual(['one', 'two']);
  });

  it('all get the error of a lost connection, and are not written a second time', async () => {
    const other = new Client({ connectionString: core.databaseUrl });
    await other.connect();
    await other.query('BEGIN');
    await other.query('LOCK TABLE job IN EXCLUSIVE MODE');
    const outcomes = Promise.allSettled(['one', 'two', 'three'].map((text) => enqueue(text)));
    const terminated = await until(
      'the group waits for the lock, and its connection is ended',
      () =>
        core.pool.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'WITH named AS%'`,
        ),
      ({ rowCount }) => rowCount === 1,
    );
    expect(terminated.rowCount).toBe(1);
    const lost = { status: 'rejected', reason: { code: '57P01' } };
    expect(await outcomes).toMatchObject([lost, lost, lost]);
    await other.query('COMMIT');
    await other.end();
    await enqueue('the next one');
    expect((await jobs()).map(({ text }) => text)).toEqual(['the next one']);
  });
});
