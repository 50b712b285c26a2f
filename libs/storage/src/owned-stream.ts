import { Readable } from 'node:stream';

/**
 * Makes a stream safe to hold before it is read: an error that occurs before that is kept in the stream for a later
 * reader. Without a listener, Node would end the process.
 */
export function ownErrors<Stream extends Readable>(stream: Stream): Stream {
  return stream.on('error', () => undefined);
}

/**
 * Owns a content as a stream while `work` reads it, and destroys the stream when `work` fails.
 * @throws the error of `work`
 */
export async function takingOver<Result>(
  content: Readable | Buffer,
  work: (source: Readable) => Promise<Result>,
): Promise<Result> {
  const source = ownErrors(Buffer.isBuffer(content) ? Readable.from([content]) : content);
  try {
    return await work(source);
  } catch (error) {
    source.destroy();
    throw error;
  }
}
