import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepForever, type RetentionAges } from '@app/ledger';
import { done } from '@app/messaging';
import { fileRetention, LocalFileStore } from '@app/storage';
import { startCore, tenant, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';

const dayMs = 24 * 3_600 * 1_000;
const ages = { ...keepForever, endedMs: 30 * dayMs, failedMs: 90 * dayMs };

describe('the retention of files', () => {
  let core: Core;
  let folder: string;
  let store: LocalFileStore;
  const job = plainJob();

  beforeEach(async () => {
    core = await startCore([[job, () => Promise.resolve(done({ n: 1 }))]], { worker: false, relay: false });
    folder = mkdtempSync(join(tmpdir(), 'files-'));
    store = new LocalFileStore(folder);
  });

  afterEach(async () => {
    await core.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** @returns the key of a file that a job made so many days ago */
  async function madeBy(jobId: string, daysAgo: number): Promise<string> {
    const key = `reports/${jobId}/orders.csv`;
    await store.put(key, Buffer.from('a,b'), { contentType: 'text/csv' });
    await core.pool.query(
      `INSERT INTO file (id, tenant, job_id, key, name, content_type, bytes)
       VALUES (uuid_v7(now() - $1 * interval '1 day'), $2, $3, $4, 'orders.csv', 'text/csv', 3)`,
      [daysAgo, tenant, jobId, key],
    );
    return key;
  }

  async function walk(given: RetentionAges = ages): Promise<number> {
    let removed = 0;
    for await (const count of fileRetention(store)(core.pool, given)) removed += count;
    return removed;
  }

  async function isThere(key: string): Promise<boolean> {
    const file = await store.open(key);
    file?.stream.destroy();
    expect((await core.pool.query('SELECT FROM file WHERE key = $1', [key])).rowCount).toBe(file ? 1 : 0);
    return file !== undefined;
  }

  it('removes a file whose job was deleted, and keeps one whose job exists', async () => {
    const kept = await madeBy(await core.enqueue(job, { n: 1 }), 40);
    const orphan = await madeBy(randomUUID(), 40);
    expect(await walk()).toBe(1);
    expect([await isThere(kept), await isThere(orphan)]).toEqual([true, false]);
  });

  it('does not look at files that are younger than any deleted job', async () => {
    const young = await madeBy(randomUUID(), 29);
    expect(await walk()).toBe(0);
    expect(await walk(keepForever)).toBe(0);
    expect(await isThere(young)).toBe(true);
  });

  it('keeps the row of a file that it could not remove, and removes it later', async () => {
    const key = await madeBy(randomUUID(), 40);
    jest.spyOn(store, 'remove').mockRejectedValueOnce(new Error('the store is away'));
    await expect(walk()).rejects.toThrow('the store is away');
    expect(await isThere(key)).toBe(true);
    expect(await walk()).toBe(1);
    expect(await isThere(key)).toBe(false);
  });
});
