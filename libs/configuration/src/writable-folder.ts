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

/** The rights of a folder that is created. */
const modes = {
  DATA_DIR: 0o700,
  STORAGE_DIR: 0o777,
} as const;

/** The folder of a setting cannot be used. The message is one sentence. */
export class UnusableFolder extends ConfigurationError {
  /** @param error the reason as text, or the error of the failed call */
  constructor(variable: keyof typeof modes, folder: string, error: unknown) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const reason = typeof error === 'string' ? error : (reasons[code] ?? message);
    super([]);
    this.message = `${variable}: expected a folder that this process can write to, got ${folder}: ${reason}.`;
    this.cause = error;
  }
}

/**
 * Creates the folder if it is missing, and writes to it once: only a write finds missing rights, a full disk or a
 * read-only file system.
 * @param folder absolute
 * @param below the subfolder that is tested, if not the folder itself
 * @throws UnusableFolder
 */
export function assertWritable(variable: keyof typeof modes, folder: string, below = '.'): void {
  const probe = join(folder, below, `.probe-${randomUUID()}`);
  try {
    makeFolder(join(folder, below), modes[variable]);
    try {
      writeFileSync(probe, Buffer.alloc(8_192), { flag: 'wx' });
    } finally {
      rmSync(probe, { force: true });
    }
  } catch (error) {
    throw new UnusableFolder(variable, folder, error);
  }
}

/**
 * Creates a folder one level at a time: Node's `recursive` never ends when the system answers ENOENT below an existing
 * folder.
 * @returns the highest folder that it has created; undefined when `path` existed
 * @throws the error of the system; then nothing is left
 */
export function makeFolder(path: string, mode = 0o777): string | undefined {
  try {
    mkdirSync(path, mode);
    return path;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return undefined;
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error;
  }
  const highest = makeFolder(dirname(path), mode);
  try {
    mkdirSync(path, mode);
    return highest;
  } catch (error) {
    if (highest !== undefined) rmSync(highest, { recursive: true, force: true });
    throw error;
  }
}

/** @returns the folder of the files, when no bucket is used */
export function filesFolder({ STORAGE_DIR, DATA_DIR }: Pick<Settings, 'STORAGE_DIR' | 'DATA_DIR'>): string {
  return STORAGE_DIR ?? join(DATA_DIR ?? '.data', 'files');
}
