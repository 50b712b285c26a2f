import type { Readable } from 'node:stream';

export interface PutOptions {
  /** A MIME type without parameters, such as `text/csv`. The key's extension has to say the same. */
  readonly contentType: string;
  /** Breaks the writing off; nothing is kept then. */
  readonly signal?: AbortSignal | undefined;
}

/** Both bounds are bytes, and both are included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface OpenedFile {
  /** Destroy it when it is not read to its end. */
  readonly stream: Readable;
  /** Of the whole file, also where a range of it was asked for. */
  readonly bytes: number;
  readonly contentType: string;
}

/**
 * Where files are. Keys are made by programs, `reports/<job>/orders.csv`: parts of letters, digits, `.`, `_` and `-`
 * with slashes between them. Who owns a file, and what it is called, is in the ledger; here are bytes.
 */
export abstract class FileStore {
  /**
   * Under the key is either the whole file or what was there before: a writer that dies, fails or is aborted leaves
   * nothing there. Of several writers the last to end wins.
   * The stream belongs to the store from the call on: the store listens to its errors, and destroys it when it is not
   * read to its end.
   * @throws InvalidFileKey; the signal's reason; the error of the stream; StorageFault
   */
  abstract put(key: string, content: Readable | Buffer, options: PutOptions): Promise<{ bytes: number }>;

  /**
   * @param signal ends the opening, and the reading with an error of the stream
   * @returns undefined when there is no such file. An error of the stream waits for its reader.
   * @throws InvalidFileKey; the signal's reason; StorageFault
   */
  abstract open(key: string, range?: ByteRange, signal?: AbortSignal): Promise<OpenedFile | undefined>;

  /** Removes a file, if there is one. */
  abstract remove(key: string): Promise<void>;

  /** Removes every file whose key begins with the prefix, which ends in a slash. */
  abstract removeAll(prefix: string): Promise<void>;

  /** @throws Error when the store cannot be used, with what would mend it */
  abstract check(): Promise<void>;
}
