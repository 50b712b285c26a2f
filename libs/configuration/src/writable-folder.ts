import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigurationError } from './read-settings';
import type { Settings } from './settings';

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'its file system is read-only',
  EEXIST: 'it is a file',
  ENOTDIR: 'it, or a part of its path, is a file',
  ENOENT: 'a part of its path leads nowhere',
  ENOSPC: 'its disk is full',
  EDQUOT: 'the quota of its disk is used up',
  ENAMETOOLONG: 'its path is too long',
  ELOOP: 'its path is a link that leads to itself',
};

/** A folder of a setting that cannot be used. The message is one sentence. */
export class UnusableFolder extends ConfigurationError {
  /** @param error the reason in words, or the error of the call that failed */
  constructor(variable: 'DATA_DIR' | 'STORAGE_DIR', folder: string, error: unknown) {
    const reason = typeof error === 'string' ? error : reasonOf(error as NodeJS.ErrnoException);
    super([]);
    this.message = `${variable}: expected a folder that this process can write to, got ${folder}: ${reason}.`;
    this.cause = error;
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  return (code !== undefined && reasons[code]) || message;
}

/**
 * Makes the folder where there is none, and writes to it once: rights, a full disk and a read-only file system are only
 * known for sure by trying.
 * @param folder absolute
 * @param below the folder in it that is tried, where that is not the folder itself
 * @throws UnusableFolder
 */
export function assertWritable(variable: 'DATA_DIR' | 'STORAGE_DIR', folder: string, below = '.'): void {
  const probe = join(folder, below, `.probe-${randomUUID()}`);
  try {
    makeFolder(join(folder, below), variable === 'DATA_DIR' ? 0o700 : 0o777);
    try {
      writeFileSync(probe, Buffer.alloc(8_192), { flag: 'wx' });
    } finally {
      rmSync(probe, { force: true });
    }
  } catch (error) {
    throw new UnusableFolder(variable, folder, error);
  }
}

/** Step by step: `recursive` of Node never ends where the system answers ENOENT below a folder that is there, as /proc does. */
function makeFolder(path: string, mode: number): void {
  try {
    mkdirSync(path, mode);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error;
    makeFolder(dirname(path), mode);
    mkdirSync(path, mode);
  }
}

/** The folder of the files, where they are not in a bucket. */
export function filesFolder({ STORAGE_DIR, DATA_DIR }: Pick<Settings, 'STORAGE_DIR' | 'DATA_DIR'>): string {
  return STORAGE_DIR ?? join(DATA_DIR ?? '.data', 'files');
}
