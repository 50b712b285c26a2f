import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { countJobs, enqueue, listJobs } from '@app/ledger';
import { createPrismaClient } from '@app/database';
import { sectionsOfOrders } from '@app/features/report';
import { done } from '@app/messaging';
import { newJobOfForeignEvent } from '../../libs/messaging/src/worker/pipeline/foreign-event';
import { startCore, tenant, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';
import { projectFolder } from '../support/postgres';

const sixMinutes = 6 * 60_000;

describe('with process clocks that are six minutes slow or fast, the system', () => {
  const job = plainJob();
  let core: Core;

  beforeEach(async () => {
    core = await startCore([[job, () => Promise.resolve(done({ n: 1 }))]], { relay: false, worker: false });
  });

  afterEach(async () => {
    await core.close();
  });

  /** Runs the work with a process clock that is wrong by this offset. */
  async function inProcess<Result>(offsetMs: number, work: () => Promise<Result>): Promise<Result> {
    const now = Date.now.bind(Date);
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => now() + offsetMs);
    try {
      return await work();
    } finally {
      clock.mockRestore();
    }
  }

  const enqueueInTurns = async (): Promise<string[]> => {
    const ids: string[] = [];
    for (let n = 0; n < 6; n += 1) {
      ids.push(await inProcess(n % 2 === 0 ? -sixMinutes : sixMinutes, () => core.enqueue(job, { n })));
    }
    return ids;
  };

  it('lists jobs in the order in which they were accepted, page by page', async () => {
    const ids = await enqueueInTurns();
    const foreign = { source: '/other', id: 'one', kind: job.kind, version: 1, tenant, data: { n: 7 } } as const;
    const adopted = newJobOfForeignEvent(job, foreign as never, 'memory');
    ids.push((await inProcess(-sixMinutes, () => enqueue(core.pool, adopted))).id);
    const page = async (before?: string) =>
      (await listJobs(core.pool, tenant, { state: undefined, kind: undefined, before, limit: 3 })).jobs;
    const first = (await page()).map(({ id }) => id);
    const second = (await page(first[2])).map(({ id }) => id);
    expect([...first, ...second]).toEqual(ids.toReversed().slice(0, 6));
    const { rows } = await core.pool.query('SELECT id FROM job ORDER BY created_at');
    expect(rows.map(({ id }) => id)).toEqual(ids);
  });

  it('counts the jobs of a period by the time at which they were accepted', async () => {
    await enqueueInTurns();
    const { rows } = await core.pool.query<{ first: Date; last: Date }>(
      `SELECT min(created_at) AS first, max(created_at) + interval '1 millisecond' AS last FROM job`,
    );
    const [{ first, last }] = rows as [{ first: Date; last: Date }];
    expect(await countJobs(core.pool, undefined, first, last)).toMatchObject([{ count: 6 }]);
    expect(await countJobs(core.pool, undefined, new Date(first.getTime() - sixMinutes), first)).toEqual([]);
  });

  it('reports orders up to the time of the database when no end is given', async () => {
    await core.pool.query(
      `INSERT INTO customer_order (tenant, number, placed_at, customer, country, product, quantity, unit_price_cents, total_cents, status)
       VALUES ('demo', 1, now() - interval '1 second', 'Ada', 'DE', 'Lamp', 1, 100, 100, 'paid')`,
    );
    const [section] = await inProcess(-sixMinutes, () =>
      sectionsOfOrders(core.pool, { tenant: 'demo', from: undefined, to: undefined }),
    );
    const { rows } = await core.pool.query('SELECT placed_at < $1 AS "isIn" FROM customer_order', [section.to]);
    expect(rows).toEqual([{ isIn: true }]);
  });

  it('takes the times of rows from the database, also when Prisma writes the rows', async () => {
    const prisma = createPrismaClient(core.pool);
    await inProcess(sixMinutes, () =>
      prisma.mailboxMessage.create({
        data: { tenant: 'demo', channel: 'email', recipient: 'ada@example.com', text: 'Hi', messageId: 'one' },
      }),
    );
    const { rows } = await core.pool.query('SELECT at <= now() AS "hasBeen" FROM mailbox_message');
    expect(rows).toEqual([{ hasBeen: true }]);
    // Prisma fills these fields from the clock of the process.
    const folder = join(projectFolder, 'prisma/schema');
    const parts = readdirSync(folder);
    const migrations = readdirSync(join(projectFolder, 'prisma/migrations')).filter((name) => /^\d/.test(name));
    expect(parts).toEqual([...new Set(migrations.map((name) => `${name.split('_')[1]}.prisma`))].sort());
    expect(parts.map((name) => readFileSync(join(folder, name), 'utf8')).join()).not.toMatch(
      /@default\(now\(\)\)|@updatedAt/,
    );
  });
});

describe('the ids of a parent job and its children', () => {
  it('rise from the first child to the parent, and no id of another job lies between them', async () => {
    const job = plainJob();
    const core = await startCore([[job, () => Promise.resolve(done({ n: 1 }))]], { relay: false, worker: false });
    try {
      const child = (n: number) => ({ definition: job, payload: { n } });
      const before = await core.enqueue(job, { n: 0 });
      const children = Array.from({ length: 300 }, (_, n) => child(n + 1));
      const parent = await core.jobs.enqueueFlow(job, { n: 301 }, [children[0]!, ...children.slice(1)], { tenant });
      const after = await core.enqueue(job, { n: 302 });
      const { rows } = await core.pool.query<{ id: string; n: number }>(
        `SELECT id, (payload->>'n')::int AS n FROM job ORDER BY id`,
      );
      expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: 303 }, (_, n) => n));
      expect([rows[0]!.id, rows[301]!.id, rows[302]!.id]).toEqual([before, parent.id, after]);
      const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
      expect(rows.filter(({ id }) => !form.test(id))).toEqual([]);
      expect(new Set(rows.map(({ id }) => id.slice(-12))).size).toBe(303);
    } finally {
      await core.close();
    }
  });
});
