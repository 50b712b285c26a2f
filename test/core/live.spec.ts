import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { MessagingSignals } from '@app/messaging';
import { ChangeCursor, changesAtOnce, createLedgerPool, readChanges, readNow, relayPool } from '@app/ledger';
import type { Pool } from 'pg';
import { JobViews } from '@app/http';
import { TenantFollower } from '../../apps/api/src/live/followers';
import { LiveFeed } from '../../apps/api/src/live/live-feed';
import { leakGuard } from '../support/leaks';
import { freshDatabase, type TestDatabase } from '../support/postgres';
import { until } from '../support/until';

const tenant = 'test';

describe('the changes of jobs', () => {
  let database: TestDatabase;
  let pool: Pool;
  let nothingLeft: () => Promise<void>;
  const clients: Client[] = [];

  beforeEach(async () => {
    nothingLeft = leakGuard();
    database = await freshDatabase();
    pool = createLedgerPool(database.url, 'test', relayPool);
  });

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end()));
    await pool.end();
    await database.drop();
    await nothingLeft();
  });

  async function connect(): Promise<Client> {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    clients.push(client);
    return client;
  }

  async function change(by: Pick<Client, 'query'>, of = tenant): Promise<string> {
    const id = uuidv7();
    await by.query(
      `WITH one AS (
         INSERT INTO job (id, tenant, kind, version, queue, broker, state, priority, max_attempts, run_at, payload)
         VALUES ($1, $2, 'test.run', 1, 'test', 'memory', 'queued', 2, 1, now(), '{}')
       )
       INSERT INTO job_update (tenant, job_id, sequence, type, data) VALUES ($2, $1, 1, 'state', '{"state": "queued"}')`,
      [id, of],
    );
    return id;
  }

  const idsOf = ({ jobs }: { jobs: readonly { id: string }[] }): string[] => jobs.map(({ id }) => id);

  it('include a change whose transaction began before the read and ended after it, and no change twice', async () => {
    const cursor = await readNow(pool);
    const slow = await connect();
    await slow.query('BEGIN');
    const held = await change(slow);
    const quick = await change(pool);

    const [first] = await readChanges(pool, [{ tenant, cursor }]);
    expect(idsOf(first!)).toEqual([quick]);
    await slow.query('COMMIT');
    const [second] = await readChanges(pool, [{ tenant, cursor: ChangeCursor.parse(first!.cursor.toString())! }]);
    expect(idsOf(second!)).toEqual([held]);
    const [third] = await readChanges(pool, [{ tenant, cursor: second!.cursor }]);
    expect(idsOf(third!)).toEqual([]);
  });

  it('exclude other tenants, and include all changes of one transaction', async () => {
    const cursor = await readNow(pool);
    const other = await change(pool, 'other');
    const writer = await connect();
    await writer.query('BEGIN');
    const ids: string[] = [];
    for (let n = 0; n < changesAtOnce * 2; n += 1) ids.push(await change(writer));
    await writer.query('COMMIT');
    const [mine, others] = await readChanges(pool, [
      { tenant, cursor },
      { tenant: 'other', cursor },
    ]);
    expect(idsOf(mine!).sort()).toEqual([...ids].sort());
    expect(idsOf(others!)).toEqual([other]);
  });

  it('exclude what a dump from another server brought, whose transactions had higher numbers', async () => {
    for (let n = 0; n <= changesAtOnce; n += 1) await change(pool);
    await pool.query(`UPDATE job_update SET xid = (xid::text::bigint + 1000000000)::text::xid8`);
    const cursor = await readNow(pool);
    const mine = await change(pool);
    const [changes] = await readChanges(pool, [{ tenant, cursor }]);
    expect([idsOf(changes!), changes!.isAll]).toEqual([[mine], true]);
    const [next] = await readChanges(pool, [{ tenant, cursor: changes!.cursor }]);
    expect(idsOf(next!)).toEqual([]);
  });

  it('go on after a full page', async () => {
    let cursor = await readNow(pool);
    const written: string[] = [];
    for (let n = 0; n < changesAtOnce * 2.5; n += 1) written.push(await change(pool));
    const read: string[] = [];
    for (let isEnd = false; !isEnd;) {
      const [page] = await readChanges(pool, [{ tenant, cursor }]);
      read.push(...idsOf(page!));
      cursor = page!.cursor;
      isEnd = page!.isAll;
    }
    expect(read).toEqual(written);
  });

  it('are complete for a reader that stops anywhere and resumes from there', async () => {
    const begin = await readNow(pool);
    const writers = await Promise.all(Array.from({ length: 6 }, connect));
    const written = new Set<string>();
    const writing = { isDone: false };
    const everything = Promise.all(
      writers.map(async (writer, place) => {
        for (let round = 0; round < 30; round += 1) {
          await writer.query('BEGIN');
          for (let n = 0; n <= round % 4; n += 1) written.add(await change(writer));
          // The first writers are quick, the last ones are slow.
          await delay(Math.random() * place * 8);
          await writer.query('COMMIT');
        }
      }),
    ).then(() => (writing.isDone = true));

    const seen = new Set<string>();
    let again = 0;
    let cursor = begin;
    for (let isLast = false; !isLast;) {
      isLast = writing.isDone;
      const [{ jobs, cursor: end }] = (await readChanges(pool, [{ tenant, cursor }])) as [
        Awaited<ReturnType<typeof readChanges>>[number],
      ];
      // Like a slow stream: it takes any part of a page, and reads the rest again.
      const taken = Math.random() < 0.5 ? jobs.length : Math.floor(Math.random() * jobs.length);
      for (const { id } of jobs.slice(0, taken)) {
        if (seen.has(id)) again += 1;
        seen.add(id);
      }
      const next = taken === jobs.length ? end : (jobs[taken - 1]?.cursor ?? cursor);
      cursor = ChangeCursor.parse(next.toString())!;
      if (taken < jobs.length) isLast = false;
    }
    await everything;
    expect([...written].filter((id) => !seen.has(id))).toEqual([]);
    // Only changes of the same transaction as the last one taken are read again.
    expect(again).toBeLessThan(written.size);
  });

  it('reach the feed without a wake-up, even from a transaction that stays open for long', async () => {
    const feed = new LiveFeed(pool, new MessagingSignals(), new JobViews([], undefined), database.url);
    const seen: string[] = [];
    const stream = { hasRoom: true, send: (text: string) => void seen.push(/"id":"([^"]+)"/.exec(text)![1]!) };
    feed.followTenant(new TenantFollower(tenant, await readNow(pool), stream));
    feed.onApplicationBootstrap();
    try {
      const slow = await connect();
      await slow.query('BEGIN');
      const held = await change(slow);
      const quick = await change(pool);
      await until(
        'the stream has the quick change',
        () => Promise.resolve(seen),
        (ids) => ids.includes(quick),
      );
      await slow.query('COMMIT');
      await until(
        'the stream has the slow change',
        () => Promise.resolve(seen),
        (ids) => ids.includes(held),
      );
      expect(seen).toEqual([quick, held]);
    } finally {
      await feed.stop();
    }
  });
});
