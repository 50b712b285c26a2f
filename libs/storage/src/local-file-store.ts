import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { lstat, mkdir, open, readdir, realpath, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { assertWritable } from '@app/configuration';
import { checkContentType, checkKey, checkPrefix, contentTypeOf, InvalidFileKey } from './file-key';
import { FileStore, type ByteRange, type OpenedFile, type PutOptions } from './file-store';
import { ownErrors, takingOver } from './owned-stream';
import { isAboutFiles, StorageFault } from './storage-fault';

/** The folder of unfinished files. Its name cannot be a part of a key. */
const unfinishedFolder = '.unfinished';

/** A file without a write for this time, in milliseconds, is abandoned: its writer has died. */
const abandonedMs = 60 * 60 * 1_000;

/** Files in a folder, shared by all processes of one machine, or of several machines over a network file system. */
export class LocalFileStore extends FileStore {
  private readonly folder: string;
  private sweptAt = 0;

  /** @param folder is created with the first file */
  constructor(folder: string) {
    super();
    this.folder = resolve(folder);
  }

  put(key: string, content: Readable | Buffer, { contentType, signal }: PutOptions): Promise<{ bytes: number }> {
    return takingOver(content, async (source) => {
      checkKey(key);
      checkContentType(key, contentType);
      // A failed clean-up must not stop the writing.
      await this.sweepAbandoned().catch(() => undefined);
      return this.write(key, source, signal);
    });
  }

  async open(key: string, range?: ByteRange, signal?: AbortSignal): Promise<OpenedFile | undefined> {
    checkKey(key);
    try {
      const path = await this.find(key);
      // Opened before its stream is created: a file that was just removed then counts as missing and causes no stream
      // error.
      const file = path === undefined ? undefined : await open(path).catch(ifMissing);
      if (!file) return undefined;
      const { size: bytes } = await file.stat();
      const stream = ownErrors(file.createReadStream({ ...range }));
      if (signal) addAbortSignal(signal, stream);
      return { stream, bytes, contentType: contentTypeOf(key) };
    } catch (error) {
      throw isAboutFiles(error) ? new StorageFault('STORAGE_DIR', 'read', error) : error;
    }
  }

  async remove(key: string): Promise<void> {
    checkKey(key);
    const path = await this.find(key);
    if (path === undefined) {
      await this.assertThere();
      return;
    }
    await rm(path, { force: true });
    await this.removeEmptyFolders(dirname(path));
  }

  async removeAll(prefix: string): Promise<void> {
    checkPrefix(prefix);
    const path = join(this.folder, prefix);
    const isThere = await lstat(path).catch(ifMissing);
    if (!isThere) return;
    await this.assertInside(path, prefix);
    await rm(path, { recursive: true, force: true });
    await this.removeEmptyFolders(dirname(path));
  }

  check(): Promise<void> {
    return new Promise((resolve) => {
      assertWritable('STORAGE_DIR', this.folder, unfinishedFolder);
      resolve();
    });
  }

  private async write(key: string, source: Readable, signal: AbortSignal | undefined): Promise<{ bytes: number }> {
    const unfinished = join(this.folder, unfinishedFolder, randomUUID());
    // Each end of a pipeline also gets the other's error. The end that fails earlier is the cause.
    let failed: 'source' | 'file' | undefined = source.errored ? 'source' : undefined;
    source.once('error', () => (failed ??= 'source'));
    try {
      await mkdir(dirname(unfinished), { recursive: true });
      // Flushed when it is closed: otherwise a power cut may leave the name without its bytes.
      const file = createWriteStream(unfinished, { flags: 'wx', mode: 0o640, flush: true });
      file.once('error', () => (failed ??= 'file'));
      await pipeline(source, file, { signal });
      signal?.throwIfAborted();
      await this.place(unfinished, key);
      return { bytes: file.bytesWritten };
    } catch (error) {
      // The folder may have been removed. The error of the write is the one to report.
      await rm(unfinished, { force: true }).catch(() => undefined);
      signal?.throwIfAborted();
      throw failed !== 'source' && isAboutFiles(error) ? new StorageFault('STORAGE_DIR', 'stored', error) : error;
    }
  }

  private async place(unfinished: string, key: string): Promise<void> {
    const target = join(this.folder, key);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await mkdir(dirname(target), { recursive: true });
        await this.assertInside(dirname(target), key);
        await rename(unfinished, target);
        return;
      } catch (error) {
        // An empty folder is removed together with its last file, perhaps just now.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === 5) throw error;
      }
    }
  }

  /** @returns the real path of a file; undefined when there is none */
  private async find(key: string): Promise<string | undefined> {
    const path = join(this.folder, key);
    const found = await lstat(path).catch(ifMissing);
    if (!found) return undefined;
    await this.assertInside(path, key);
    return found.isFile() ? path : undefined;
  }

  /** @throws InvalidFileKey for a path that a symbolic link leads out of the folder */
  private async assertInside(path: string, key: string): Promise<void> {
    const [root, real] = await Promise.all([realpath(this.folder), realpath(path)]);
    if (!real.startsWith(root + sep)) throw new InvalidFileKey(`a key of a file in ${root}`, key);
  }

  /** @throws StorageFault for a folder that is missing, such as one that is not mounted: its files are not removed */
  private async assertThere(): Promise<void> {
    await stat(this.folder).catch((error: unknown) => {
      throw new StorageFault('STORAGE_DIR', 'removed', error);
    });
  }

  private async removeEmptyFolders(folder: string): Promise<void> {
    try {
      for (let path = folder; path.startsWith(this.folder + sep); path = dirname(path)) await rmdir(path);
    } catch {
      // The folder holds another file.
    }
  }

  /** Removes the unfinished files of killed writers. */
  private async sweepAbandoned(): Promise<void> {
    if (Date.now() - this.sweptAt < abandonedMs) return;
    this.sweptAt = Date.now();
    const folder = join(this.folder, unfinishedFolder);
    for (const name of (await readdir(folder).catch(ifMissing)) ?? []) {
      const path = join(folder, name);
      const file = await stat(path).catch(ifMissing);
      if (file && Date.now() - file.mtimeMs > abandonedMs) await rm(path, { force: true });
    }
  }
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}
