import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resizeImage, recordUpload, uploadRetention } from '@app/features/image';
import { keepForever } from '@app/ledger';
import { done } from '@app/messaging';
import { LocalFileStore } from '@app/storage';
import { startCore, tenant, type Core } from '../support/core';

describe('the retention of uploads', () => {
  let core: Core;
  let folder: string;
  let store: LocalFileStore;

  beforeEach(async () => {
    core = await startCore([[resizeImage, () => Promise.resolve(done({ variants: [] }))]], {
      worker: false,
      relay: false,
    });
    folder = mkdtempSync(join(tmpdir(), 'uploads-'));
    store = new LocalFileStore(folder);
  });

  afterEach(async () => {
    await core.close();
    rmSync(folder, { recursive: true, force: true });
  });

  interface Stored {
    readonly age: string;
    /** No job: the request was cut off, or the API was killed. */
    readonly job?: { readonly state: string; readonly finishedAgo?: string };
  }

  async function stored({ age, job }: Stored): Promise<string> {
    const key = `uploads/${randomUUID()}.png`;
    await recordUpload(core.pool, tenant, key);
    await store.put(key, Buffer.from('bytes'), { contentType: 'image/png' });
    await core.pool.query(`UPDATE upload SET created_at = now() - $2::interval WHERE key = $1`, [key, age]);
    if (job) {
      const id = await core.enqueue(resizeImage, { upload: key });
      await core.pool.query(`UPDATE job SET state = $2::job_state, finished_at = now() - $3::interval WHERE id = $1`, [
        id,
        job.state,
        job.finishedAgo ?? null,
      ]);
    }
    return key;
  }

  async function walk(): Promise<number> {
    let removed = 0;
    for await (const count of uploadRetention(store)(core.pool, keepForever)) removed += count;
    return removed;
  }

  const isThere = async (key: string): Promise<boolean> => {
    const file = await store.open(key);
    file?.stream.destroy();
    const { rowCount } = await core.pool.query('SELECT FROM upload WHERE key = $1', [key]);
    expect(rowCount).toBe(file ? 1 : 0);
    return file !== undefined;
  };

  it.each<[string, Stored, 'stays' | 'goes']>([
    ['that is hours old and has no job', { age: '23 hours' }, 'stays'],
    ['that is a day old and has no job', { age: '25 hours' }, 'goes'],
    ['of a job that waits', { age: '30 days', job: { state: 'queued' } }, 'stays'],
    ['of a job that is done', { age: '25 hours', job: { state: 'completed', finishedAgo: '1 hour' } }, 'goes'],
    [
      'of a job that failed, and may be redriven',
      { age: '8 days', job: { state: 'failed', finishedAgo: '6 days' } },
      'stays',
    ],
    ['of a job that failed a week ago', { age: '9 days', job: { state: 'failed', finishedAgo: '8 days' } }, 'goes'],
  ])('for a file %s: the file %s', async (_, upload, expected) => {
    const key = await stored(upload);
    const other = await stored({ age: '0 hours' });
    expect(await walk()).toBe(expected === 'goes' ? 1 : 0);
    expect([await isThere(key), await isThere(other)]).toEqual([expected === 'stays', true]);
  });

  it('retries a file that it could not remove', async () => {
    const key = await stored({ age: '25 hours' });
    const away = jest.spyOn(store, 'remove').mockRejectedValueOnce(new Error('the store is away'));
    await expect(walk()).rejects.toThrow('the store is away');
    away.mockRestore();
    expect(await isThere(key)).toBe(true);
    expect(await walk()).toBe(1);
    expect(await isThere(key)).toBe(false);
  });
});
