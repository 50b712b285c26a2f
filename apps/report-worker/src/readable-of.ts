import { Readable } from 'node:stream';
import { ownErrors } from '@app/storage';

/**
 * Makes a stream of generated chunks. Nothing is generated before the first read, and no more than the reader has room
 * for. An error while generating becomes an error of the stream, and is kept until it is read.
 */
export function readableOf(chunks: AsyncIterable<string | Uint8Array>): Readable {
  return ownErrors(Readable.from(chunks, { objectMode: false }));
}
