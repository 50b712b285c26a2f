import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { imageFormats, imageSizeNames, imageSizes, type ImageFormat, recordUpload } from '@app/features/image';
import type { JobContext } from '@app/messaging';
import { createLedgerPool, workerPool } from '@app/ledger';
import { createPrismaClient, type Prisma } from '@app/database';
import { LocalFileStore } from '@app/storage';
import { ResizeImageHandler } from '../../../apps/image-worker/src/resize-image.handler';
import { freshDatabase } from '../../support/postgres';
import { endingWith } from '../measuring/ending';
import { printTable, shown, shownRatio, shownSpread } from '../measuring/table';
import { inTurns } from '../measuring/turns';

export interface ImageOptions {
  readonly repeats: number;
  readonly images: number;
}

/** What a phone makes. */
const width = 4_000;
const height = 3_000;
const tenant = 'bench';
/** As the worker does. */
const atOnce = 2;

/**
 * The handler of the worker, its file store and its rows included, beside sharp as its documentation uses it: from the
 * same file to the same nine variants, two images side by side.
 */
export async function benchImage({ repeats, images }: ImageOptions): Promise<void> {
  const database = await freshDatabase();
  const pool = createLedgerPool(database.url, 'bench', workerPool);
  const prisma = createPrismaClient(pool);
  const folder = mkdtempSync(join(tmpdir(), 'bench-image-'));
  await endingWith(
    async () => {
      await prisma.$disconnect();
      await pool.end();
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
    },
    async () => {
      const store = new LocalFileStore(folder);
      const upload = `uploads/${randomUUID()}.jpg`;
      await recordUpload(pool, tenant, upload);
      await store.put(upload, await photo(), { contentType: 'image/jpeg' });
      const handler = new ResizeImageHandler(pool, store);
      const context: JobContext<Prisma.TransactionClient> = {
        effectKey: 'bench',
        signal: new AbortController().signal,
        progress: () => undefined,
        childResults: () => Promise.resolve([]),
        transaction: (work) => prisma.$transaction(work),
      };
      const perSecond = async (one: () => Promise<unknown>): Promise<number> => {
        const startedAt = performance.now();
        let begun = 0;
        const inTurn = async () => {
          while ((begun += 1) <= images) await one();
        };
        await Promise.all(Array.from({ length: atOnce }, inTurn));
        return (images * width * height) / 1_000_000 / ((performance.now() - startedAt) / 1_000);
      };
      const job = { kind: 'image.resize', tenant, attempt: 1, maxAttempts: 1, createdAt: new Date() };
      const results = await inTurns(repeats, {
        'image-worker': () =>
          perSecond(() => handler.handle({ ...job, id: randomUUID(), payload: { upload } }, context)),
        sharp: () => perSecond(() => bare(join(folder, upload), join(folder, 'bare', randomUUID()))),
      });
      process.stdout.write(
        `\nimage: ${images} of ${shown((width * height) / 1_000_000, 0)} megapixels, ${repeats} turns\n`,
      );
      printTable([
        ['', 'megapixels/s', 'beside the library'],
        ['image-worker', shownSpread(results['image-worker'], 1), shownRatio(results['image-worker'], results.sharp)],
        ['sharp', shownSpread(results.sharp, 1), ''],
      ]);
    },
  );
}

/** Nearly as hard to compress as a photo. */
function photo(): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
  return sharp({ create: { width, height, channels: 3, background: '#808080', noise } })
    .blur(3)
    .jpeg({ quality: 85 })
    .toBuffer();
}

const encoders: Readonly<Record<ImageFormat, (image: sharp.Sharp) => sharp.Sharp>> = {
  avif: (image) => image.avif({ quality: 50, effort: 2 }),
  webp: (image) => image.webp({ quality: 80 }),
  jpeg: (image) => image.jpeg({ quality: 80 }),
};

async function bare(file: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const image = sharp(readFileSync(file)).autoOrient();
  for (const name of imageSizeNames) {
    const side = imageSizes[name];
    const resized = image.clone().resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true });
    for (const format of imageFormats)
      await encoders[format](resized.clone()).toFile(join(folder, `${name}.${format}`));
  }
}
