import type { Readable } from 'node:stream';

export interface PutOptions {
  /** A MIME type without parameters, such as `text/csv`. The extension of the key must match it. */
  readonly contentType: string;
  /** Aborts the writing; then nothing is stored. */
  readonly signal?: AbortSignal | undefined;
}

/** Both bounds are in bytes and inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface OpenedFile {
  /** Destroy it when it is not read to its end. */
  readonly stream: Readable;
  /** The size of the whole file, also when a range was requested. */
  readonly bytes: number;
  readonly contentType: string;
}

/**
 * Stores files by key. Programs make the keys, `reports/<job>/orders.csv`: parts of letters, digits, `.`, `_` and `-`,
 * separated by slashes. The ledger holds the owner and the name of a file; the store holds its bytes.
 */
export abstract class FileStore {
  /**
   * Writes a file. The key holds either the whole new file or what was there before: a writer that dies, fails or is
   * aborted leaves nothing. Of several concurrent writers the last to end wins. The stream belongs to the store from
   * the call on: the store handles its errors, and destroys it when it is not read to its end.
   * @returns the size of the file
   * @throws InvalidFileKey; the signal's reason; the error of the stream; StorageFault
   */
  abstract put(key: string, content: Readable | Buffer, options: PutOptions): Promise<{ bytes: number }>;

  /**
   * Opens a file for reading. An error of the returned stream is kept until it is read.
   * @param range the whole file when it is undefined
   * @param signal aborts the opening; aborts the reading with an error of the stream
   * @returns undefined when there is no such file
   * @throws InvalidFileKey; the signal's reason; StorageFault
   */
  abstract open(key: string, range?: ByteRange, signal?: AbortSignal): Promise<OpenedFile | undefined>;

  /** Removes a file; does nothing when there is none. @throws StorageFault when the store itself is away */
  abstract remove(key: string): Promise<void>;

  /** Removes every file whose key begins with the prefix, which ends in a slash. */
  abstract removeAll(prefix: string): Promise<void>;

  /** @throws Error when the store cannot be used, with the remedy */
  abstract check(): Promise<void>;
}
