import { buffer } from 'node:stream/consumers';
import { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { imageFormats, imageSizeNames, resizeImage, isUploadOf } from '@app/features/image';
import { type ResultOf } from '@app/contracts';
import { done, fail, JobHandler, type Handler, type JobContext, type JobOf } from '@app/messaging';
import type { Prisma } from '@app/database';
import { recordFiles, type FileRecord, FileStore } from '@app/storage';
import type * as Pictures from './picture';

type Variant = ResultOf<typeof resizeImage>['variants'][number];

const wanted = imageSizeNames.flatMap((name) => imageFormats.map((format) => ({ name, format })));

@JobHandler(resizeImage)
export class ResizeImageHandler implements Handler<typeof resizeImage> {
  constructor(
    private readonly pool: Pool,
    private readonly store: FileStore,
  ) {}

  async handle(
    { id: jobId, tenant, payload }: JobOf<typeof resizeImage>,
    context: JobContext<Prisma.TransactionClient>,
  ) {
    const upload = await this.read(tenant, payload.upload, context.signal);
    if (!upload) return fail(`The upload ${payload.upload} is not there any more: send the image again.`);
    // The first image loads sharp, which is large.
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const { Picture, PictureRefused } = require('./picture') as typeof Pictures;
    let picture: Pictures.Picture;
    try {
      picture = await Picture.decode(upload);
    } catch (error) {
      if (error instanceof PictureRefused) return fail(error.message);
      throw error;
    }
    const variants: Variant[] = [];
    const files: FileRecord[] = [];
    for (const { name, format } of wanted) {
      context.signal.throwIfAborted();
      const { bytes: content, width, height } = await picture.encode(name, format);
      // The same name for every attempt: a retry overwrites its own files.
      const key = `images/${jobId}/${name}.${format}`;
      const contentType = `image/${format}`;
      const { bytes } = await this.store.put(key, content, { contentType, signal: context.signal });
      const id = uuidv7();
      variants.push({ name, width, height, format, bytes, id });
      files.push({ id, tenant, jobId, key, name: `${name}.${format}`, contentType, bytes });
      context.progress(Math.round((variants.length / wanted.length) * 100), `${name}.${format}`);
    }
    return context.transaction(async (tx) => {
      await recordFiles(tx, files);
      return done({ variants });
    });
  }

  /**
   * Reads an upload as a whole: its size is limited, and most formats cannot be read as a stream. The key is in the
   * payload, which another service may have written: an upload of another tenant counts as missing.
   */
  private async read(tenant: string, key: string, signal: AbortSignal): Promise<Buffer | undefined> {
    if (!(await isUploadOf(this.pool, tenant, key))) return undefined;
    const file = await this.store.open(key, undefined, signal);
    return file && buffer(file.stream);
  }
}
