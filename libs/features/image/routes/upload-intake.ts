import { createHash, randomUUID, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { Pool } from 'pg';
import { imageUploadTypes, forgetUploads, recordUpload } from '@app/features/image';
import { FileStore } from '@app/storage';
import { identityOf, maxUploadBytes, bodyTooLarge, invalidBody, type Problem } from '@app/http';
import { headBytes, imageTypeOf } from './image-type';

/** A file that was received completely and stored. */
export interface Upload {
  readonly key: string;
  /** The hash of the content, in hexadecimal. */
  readonly sha256: string;
}

interface IncomingFile {
  readonly stream: Readable;
}

/**
 * Streams one file of a form into the store, chunk by chunk, and checks its type and size. Keeps no file that is
 * refused, too large or incomplete. Ignores the file name of the caller.
 *
 * It is a storage engine of multer (https://github.com/expressjs/multer/blob/main/StorageEngine.md).
 */
@Injectable()
export class UploadIntake {
  constructor(
    private readonly pool: Pool,
    private readonly store: FileStore,
  ) {}

  _handleFile(request: Request, { stream }: IncomingFile, done: (error: Error | null, info?: Upload) => void): void {
    this.receive(identityOf(request).tenant, stream).then((upload) => done(null, upload), done);
  }

  _removeFile(_request: Request, { key }: Upload, done: (error: Error | null) => void): void {
    this.remove(key).then(() => done(null), done);
  }

  /** Removes a file. If that fails, the retention of uploads removes it later. */
  async remove(key: string): Promise<void> {
    await this.store.remove(key);
    await forgetUploads(this.pool, [key]);
  }

  /** @throws Problem 400 or 413, or the error of the stream or the store; then nothing is stored */
  private async receive(tenant: string, stream: Readable): Promise<Upload> {
    try {
      const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      const head = await readHead(chunks);
      const type = imageTypeOf(head);
      if (!type) throw refused(head);
      const key = `uploads/${randomUUID()}.${imageUploadTypes[type]}`; // Unique and not guessable.
      const hash = createHash('sha256');
      await recordUpload(this.pool, tenant, key);
      const content = Readable.from(limited(head, chunks, hash), { objectMode: false });
      await this.store.put(key, content, { contentType: type }).catch(async (error: unknown) => {
        await forgetUploads(this.pool, [key]).catch(() => undefined);
        throw error;
      });
      return { key, sha256: hash.digest('hex') };
    } finally {
      stream.destroy();
    }
  }
}

async function readHead(chunks: AsyncIterator<Buffer>): Promise<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < headBytes) {
    const next = await chunks.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  return head;
}

/** Passes the chunks on and adds them to the hash. @throws Problem 413 as soon as there are too many bytes */
async function* limited(head: Buffer, chunks: AsyncIterator<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  let bytes = 0;
  for (let next: IteratorResult<Buffer> = { value: head }; !next.done; next = await chunks.next()) {
    bytes += next.value.length;
    if (bytes > maxUploadBytes) throw bodyTooLarge(`Expected a file of at most ${maxUploadBytes} bytes.`);
    hash.update(next.value);
    yield next.value;
  }
}

function refused(head: Buffer): Problem {
  const message =
    head.length === 0
      ? 'expected an image, got a file without a byte'
      : `expected ${Object.keys(imageUploadTypes).join(', ')}, got a file whose first bytes match none of them`;
  return invalidBody([{ path: 'file', message }]);
}
