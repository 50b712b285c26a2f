import { createHash } from 'node:crypto';
import { chownSync, existsSync, mkdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { assertWritable, UnusableFolder } from '@app/configuration';
import {
  binariesIn,
  copyBinaries,
  isReachable,
  packagedFolder,
  unprivilegedUser,
  type PostgresBinaries,
  type SystemUser,
} from './binaries';

/** The folders of PostgreSQL's programs and data, and the user who runs it. */
export interface PostgresLocation {
  readonly binaries: PostgresBinaries;
  /** May not exist yet; PostgreSQL's own folder is created in it. */
  readonly folder: string;
  readonly user: SystemUser | undefined;
}

/**
 * Root runs PostgreSQL as a user without rights, who cannot enter a checkout under /root. Programs and data then go to
 * /var/lib, unless the caller names a folder that this user can enter.
 * @throws UnusableFolder
 */
export function locatePostgres(projectFolder: string, requestedFolder: string | undefined): PostgresLocation {
  const user = unprivilegedUser();
  const packaged = packagedFolder();
  const folder = resolve(projectFolder, requestedFolder ?? '.data');
  if (!user || (isReachable(folder, user) && isReachable(packaged, user))) {
    return { binaries: binariesIn(packaged), folder, user };
  }
  if (requestedFolder !== undefined && !isReachable(folder, user)) {
    throw new UnusableFolder(
      'DATA_DIR',
      folder,
      `the user with id ${user.uid}, which runs PostgreSQL for root, cannot reach it; name another folder, or start as another user`,
    );
  }
  const name = `${basename(projectFolder)}-${createHash('sha256').update(projectFolder).digest('hex').slice(0, 8)}`;
  const refuge = join('/var/lib/node-message-queue', name);
  const programs = join(refuge, 'postgres-programs');
  try {
    mkdirSync(refuge, { recursive: true, mode: 0o755 });
    copyBinaries(programs);
  } catch (error) {
    throw new UnusableFolder('DATA_DIR', refuge, error);
  }
  return {
    binaries: binariesIn(programs),
    folder: requestedFolder === undefined ? join(refuge, 'data') : folder,
    user,
  };
}

/**
 * Creates the folder if it is missing, for the user who runs PostgreSQL.
 * @throws UnusableFolder
 */
export function prepareFolder({ folder, user }: PostgresLocation): void {
  const missing: string[] = [];
  for (let path = folder; !existsSync(path) && path !== dirname(path); path = dirname(path)) missing.push(path);
  assertWritable('DATA_DIR', folder);
  // An existing folder keeps its owner.
  if (user) for (const path of missing) chownSync(path, user.uid, user.gid);
}
