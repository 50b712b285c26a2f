import type { Readable } from 'node:stream';

/**
 * Makes a stream safe to hold before it is read: an error that comes while nothing reads it is kept in the stream, and
 * a reader that begins later gets it. Without a listener, Node ends the process.
 */
export function ownErrors<Stream extends Readable>(stream: Stream): Stream {
  return stream.on('error', () => undefined);
}

/**
 * Takes a stream over for as long as `work` runs. When `work` fails, the stream is destroyed.
 * @throws the error of `work`
 */
export async function takingOver<Result>(content: Readable | Buffer, work: () => Promise<Result>): Promise<Result> {
  if (Buffer.isBuffer(content)) return work();
  ownErrors(content);
  try {
    return await work();
  } catch (error) {
    content.destroy();
    throw error;
  }
}
