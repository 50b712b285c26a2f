import { AsyncLocalStorage } from 'node:async_hooks';
import { Client, type Pool } from 'pg';
import { connectBullmq } from '@app/messaging';
import { callerPool, createLedgerPool, relayPool, workerPool } from '@app/ledger';
import { createPrismaClient } from '@app/database';
import { freshDatabase, type TestDatabase } from '../support/postgres';

describe('a PostgreSQL session of an app', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await freshDatabase();
  });

  afterEach(() => database.drop());

  async function withPool<Result>(pool: Pool, work: (pool: Pool) => Promise<Result>): Promise<Result> {
    try {
      return await work(pool);
    } finally {
      await pool.end();
    }
  }

  const show = async (pool: Pool, name: string): Promise<string> =>
    (await pool.query<{ value: string }>('SELECT current_setting($1) AS value', [name])).rows[0]!.value;

  const bullmqPool = () =>
    connectBullmq({ redisUrl: undefined, databaseUrl: database.url, prefix: 'bull', leaseMs: 2_000 }, 'test', 0)
      .forQueues as unknown as Pool;

  // pg-pool 3.14 calls it in the context of the caller that releases the connection: findings/opentelemetry-pg-stranger.sh
  it('comes to a caller that has waited for it in the context of this caller', async () => {
    await withPool(createLedgerPool(database.url, 'test', callerPool, 1), async (pool) => {
      const context = new AsyncLocalStorage<string>();
      const held = await context.run('the first', () => pool.connect());
      const seen = new Promise<string | undefined>((resolve) =>
        context.run('the second', () =>
          pool.connect((_error, _client, release) => {
            resolve(context.getStore());
            release();
          }),
        ),
      );
      context.run('the first', () => held.release());
      expect(await seen).toBe('the second');
    });
  });

  it('uses UTC although the server does not', async () => {
    const plain = new Client({ connectionString: database.url });
    await plain.connect();
    const { rows } = await plain.query('SHOW timezone');
    await plain.end();
    expect(rows).toEqual([{ TimeZone: 'Asia/Kathmandu' }]);
    for (const settings of [callerPool, relayPool, workerPool]) {
      await withPool(createLedgerPool(database.url, 'test', settings), async (pool) => {
        expect(await show(pool, 'TimeZone')).toBe('UTC');
      });
    }
    await withPool(bullmqPool(), async (pool) => {
      expect(await show(pool, 'TimeZone')).toBe('UTC');
      expect(await show(pool, 'search_path')).toBe('bullmq');
      expect(await show(pool, 'synchronous_commit')).toBe('off');
    });
  });

  it('takes settings from the connection string; those of the application win', async () => {
    const address = new URL(database.url);
    address.searchParams.set('options', '-c work_mem=5MB --search_path="other\\ one",public -c TimeZone=Asia/Tokyo');
    await withPool(createLedgerPool(address.href, 'test', callerPool), async (pool) => {
      expect(await show(pool, 'work_mem')).toBe('5MB');
      expect(await show(pool, 'search_path')).toBe('"other one",public');
      expect(await show(pool, 'TimeZone')).toBe('UTC');
      expect(await show(pool, 'jit')).toBe('off');
      expect(await show(pool, 'statement_timeout')).toBe('1200ms');
    });
  });

  it('writes and reads the same time through Prisma and through SQL', async () => {
    await withPool(createLedgerPool(database.url, 'test', callerPool), async (pool) => {
      const prisma = createPrismaClient(pool);
      const at = new Date('2026-03-29T01:30:00.123Z');
      await prisma.schedule.create({ data: { name: 'one', timetable: 'none', dueAt: at } });
      const { rows } = await pool.query('SELECT extract(epoch FROM due_at)::float8 * 1000 AS ms FROM schedule');
      expect(rows).toEqual([{ ms: at.getTime() }]);
      expect((await prisma.schedule.findFirst())!.dueAt).toEqual(at);
    });
  });
});
