import { Readable } from 'node:stream';
import { ownErrors } from '@app/storage';

/**
 * A file as it is made. Nothing is made before the first read, and no more than the reader has room for. An error of
 * the making is one of the stream, and waits for its reader.
 */
export function readableOf(chunks: AsyncIterable<string | Uint8Array>): Readable {
  return ownErrors(Readable.from(chunks, { objectMode: false }));
}
