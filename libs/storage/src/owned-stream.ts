import type { Readable } from 'node:stream';

/**
 * Makes a stream safe to hold before it is read: an error that occurs before that is kept in the stream for a later
 * reader. Without a listener, Node would end the process.
 */
export function ownErrors<Stream extends Readable>(stream: Stream): Stream {
  return stream.on('error', () => undefined);
}

/**
 * Owns a stream while `work` runs, and destroys it when `work` fails.
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
