/**
 * Half a trap: "PostgreSQL cannot be a queue": it can, in batches; job by job the round trips are the limit.
 *
 * `FOR UPDATE SKIP LOCKED` gives each of several consumers other rows: none waits for another, and no row is taken
 * twice. The cost of a job is its statement and its commit, which waits for the disk. So one statement that takes 100
 * rows is many times faster than 100 statements. What a table lacks is what a broker has: a push to idle consumers, and no dead rows that
 * VACUUM must remove.
 *
 * Needs: postgres
 * Expect:
 *   one by one: 1000 jobs, none taken twice, … jobs/s
 *   in batches of 100: 20000 jobs, none taken twice, … jobs/s
 *   in batches: more than 500 jobs/s
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';

const consumers = 4;
const table = `example_${randomUUID().replaceAll('-', '')}`;
const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: consumers });

const take = `
  DELETE FROM ${table} WHERE id = ANY(ARRAY(SELECT id FROM ${table} ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED))
  RETURNING id`;

/** Four consumers take all jobs. @returns how many each job was taken, and jobs per second */
async function drain(jobs: number, batch: number): Promise<{ taken: number; distinct: number; perSecond: number }> {
  await pool.query(`INSERT INTO ${table} SELECT generate_series(1, $1::int)`, [jobs]);
  await pool.query(`ANALYZE ${table}`);
  const ids: number[] = [];
  const startedAt = performance.now();
  async function consume(): Promise<void> {
    for (;;) {
      const { rows } = await pool.query<{ id: number }>(take, [batch]);
      if (rows.length === 0) return; // No row, or all rows locked by the others, who will take them.
      ids.push(...rows.map(({ id }) => id));
    }
  }
  await Promise.all(Array.from({ length: consumers }, consume));
  const seconds = (performance.now() - startedAt) / 1_000;
  return { taken: ids.length, distinct: new Set(ids).size, perSecond: Math.round(jobs / seconds) };
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 30_000).unref();

  await pool.query(`CREATE TABLE ${table} (id int PRIMARY KEY)`);
  const single = await drain(1_000, 1);
  const inBatches = await drain(20_000, 100);
  await pool.query(`DROP TABLE ${table}`);
  await pool.end();

  const twice = ({ taken, distinct }: { taken: number; distinct: number }): string =>
    taken === distinct ? 'none taken twice' : 'some taken twice';
  console.log(`one by one: ${single.taken} jobs, ${twice(single)}, ${single.perSecond} jobs/s`);
  console.log(`in batches of 100: ${inBatches.taken} jobs, ${twice(inBatches)}, ${inBatches.perSecond} jobs/s`);
  console.log(`in batches: ${inBatches.perSecond > 500 ? 'more' : 'not more'} than 500 jobs/s`);

  assert.deepEqual([single.taken, single.distinct], [1_000, 1_000]);
  assert.deepEqual([inBatches.taken, inBatches.distinct], [20_000, 20_000]);
  assert.ok(inBatches.perSecond > 500);
}

void main();
