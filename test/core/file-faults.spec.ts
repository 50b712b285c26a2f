import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setImmediate as immediate } from 'node:timers/promises';
import { makeReport } from '@app/features/report';
import { resizeImage, recordUpload } from '@app/features/image';
import { done, type MessagingSignalMap } from '@app/messaging';
import { FileStore, LocalFileStore, type OpenedFile } from '@app/storage';
import sharp from 'sharp';
import { ResizeImageHandler } from '../../apps/image-worker/src/resize-image.handler';
import { MakeReportHandler } from '../../apps/report-worker/src/make-report.handler';
import { seedOrders } from '../../scripts/seed/orders';
import { startCore, tenant, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';
import { until } from '../support/until';

const orders = 3_000;
const moments = ['open', 'first byte', 'middle', 'end', 'close'] as const;

type Moment = (typeof moments)[number];

/** Fails once, and does nothing for the stream that it was given: it neither listens to it nor destroys it. */
class FaultyStore extends FileStore {
  failAt: Moment | 'open for reading' | 'while reading' | undefined;

  constructor(private store: FileStore) {
    super();
  }

  use(store: FileStore): void {
    this.store = store;
  }

  async put(...[key, content, options]: Parameters<FileStore['put']>): Promise<{ bytes: number }> {
    const moment = this.failAt;
    this.failAt = undefined;
    if (moment === undefined) return this.store.put(key, content, options);
    if (moment === 'open') {
      await immediate();
      throw new Error('EACCES at open');
    }
    const chunks = (Buffer.isBuffer(content) ? Readable.from([content]) : content)[Symbol.asyncIterator]();
    for (let count = 0; ; count += 1) {
      if (count === (moment === 'first byte' ? 1 : 3) && moment !== 'end' && moment !== 'close') break;
      if ((await chunks.next()).done) break;
    }
    throw new Error(`ENOSPC at ${moment}`);
  }

  async open(key: string): Promise<OpenedFile | undefined> {
    const moment = this.failAt;
    if (moment !== 'open for reading' && moment !== 'while reading') return this.store.open(key);
    this.failAt = undefined;
    if (moment === 'open for reading') throw new Error('EIO at open for reading');
    const file = await this.store.open(key);
    file?.stream.destroy(new Error('EIO while reading'));
    return file;
  }

  remove(key: string): Promise<void> {
    return this.store.remove(key);
  }

  removeAll(prefix: string): Promise<void> {
    return this.store.removeAll(prefix);
  }

  check(): Promise<void> {
    return this.store.check();
  }
}

describe('a fault of the file store', () => {
  const neighbour = plainJob();
  let core: Core;
  let folder: string;
  let store: FaultyStore;
  const settlements: MessagingSignalMap['settled'][] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'faults-'));
    store = new FaultyStore(new LocalFileStore(join(folder, 'files')));
    core = await startCore([
      [
        { ...makeReport, retry: neighbour.retry },
        (job, context) => new MakeReportHandler(core.pool, store).handle(job, context),
      ],
      [
        { ...resizeImage, retry: neighbour.retry },
        (job, context) => new ResizeImageHandler(core.pool, store).handle(job, context),
      ],
      [neighbour, ({ payload }) => Promise.resolve(done(payload))],
    ]);
    core.signals.on('settled', (...settlement) => settlements.push(settlement));
    await seedOrders(core.pool, orders, tenant);
  });

  afterAll(async () => {
    await core.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const attemptsOf = async (id: string) => {
    const job = await until(
      `job ${id} is final`,
      () => core.read(id),
      ({ state }) => ['completed', 'failed'].includes(state),
      30_000,
    );
    return { state: job.state, attempt: job.attempt };
  };

  /** How the first attempt of a job was settled. */
  const settlementOf = async (id: string) =>
    (await until(
      `job ${id} is settled`,
      () => Promise.resolve(settlements.find(([job]) => job.id === id)),
      (settlement) => settlement !== undefined,
    ))![1];

  async function failsOneAttempt(id: string, reason: RegExp): Promise<void> {
    expect(await settlementOf(id)).toMatchObject({
      state: 'queued',
      error: { message: expect.stringMatching(reason) },
    });
    expect(await attemptsOf(id)).toEqual({ state: 'completed', attempt: 2 });
    // The process goes on with everything else.
    expect(await attemptsOf(await core.enqueue(neighbour, { n: 1 }))).toEqual({ state: 'completed', attempt: 1 });
  }

  describe.each(['csv', 'xlsx', 'pdf'] as const)('while a %s is written', (format) => {
    it.each(moments)('fails one attempt of one job when it comes at: %s', async (moment) => {
      store.failAt = moment;
      const id = await core.enqueue(makeReport, { type: 'orders', format });
      await failsOneAttempt(id, new RegExp(`E[A-Z]+ at ${moment}`));
    });
  });

  describe('of a folder', () => {
    it('that is a file fails attempts, and says so without its path', async () => {
      const file = join(folder, 'a-file');
      writeFileSync(file, '');
      store.use(new LocalFileStore(file));
      const id = await core.enqueue(makeReport, { type: 'orders', format: 'csv' });
      const { error } = await settlementOf(id);
      expect(error).toEqual({
        code: 'handler_failed',
        message: 'The file could not be stored (ENOTDIR: not a directory, mkdir). Look at STORAGE_DIR.',
      });
      store.use(new LocalFileStore(join(folder, 'files')));
      expect(await attemptsOf(id)).toMatchObject({ state: 'completed' });
    });
  });

  it('while orders are read fails one attempt of one job', async () => {
    const query = core.pool.query.bind(core.pool);
    await query(`
      ALTER TABLE customer_order RENAME TO customer_order_rows;
      CREATE FUNCTION cut() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
        IF current_query() LIKE 'FETCH%'
           AND EXISTS (SELECT FROM job WHERE kind = 'report.make' AND state = 'active' AND attempt = 1) THEN
          RAISE EXCEPTION 'the disk is gone' USING ERRCODE = '58030';
        END IF;
        RETURN true;
      END $$;
      CREATE VIEW customer_order AS SELECT * FROM customer_order_rows WHERE number <> 2000 OR cut()`);
    for (const format of ['csv', 'xlsx'] as const) {
      await failsOneAttempt(await core.enqueue(makeReport, { type: 'orders', format }), /the disk is gone/);
    }
    await query('DROP VIEW customer_order; ALTER TABLE customer_order_rows RENAME TO customer_order');
  });

  describe('while an image is made smaller', () => {
    const upload = 'uploads/019e0000-0000-7000-8000-000000000000.png';

    beforeAll(async () => {
      const picture = sharp({ create: { width: 40, height: 40, channels: 3, background: '#f00' } });
      await new LocalFileStore(join(folder, 'files')).put(upload, await picture.png().toBuffer(), {
        contentType: 'image/png',
      });
      await recordUpload(core.pool, tenant, upload);
    });

    it.each([...moments, 'open for reading', 'while reading'] as const)(
      'fails one attempt of one job when it comes at: %s',
      async (moment) => {
        store.failAt = moment;
        await failsOneAttempt(await core.enqueue(resizeImage, { upload }), new RegExp(`E[A-Z]+ (at )?${moment}`));
      },
    );
  });
});
