import { createHash } from 'node:crypto';
import { chownSync, mkdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import {
  binariesIn,
  copyBinaries,
  isReachable,
  packagedFolder,
  unprivilegedUser,
  type PostgresBinaries,
  type SystemUser,
} from './binaries';

/** Where PostgreSQL's programs and data are, and who runs it. */
export interface PostgresLocation {
  readonly binaries: PostgresBinaries;
  /** Owned by `user`; PostgreSQL's own folder is made in it. */
  readonly folder: string;
  readonly user: SystemUser | undefined;
}

/**
 * Root hands PostgreSQL to a user without rights, who cannot enter a checkout under /root: then programs and data
 * go to /var/lib, unless the caller has named a folder, which has to be one that this user can reach.
 */
export function locatePostgres(projectFolder: string, requestedFolder: string | undefined): PostgresLocation {
  const user = unprivilegedUser();
  const packaged = packagedFolder();
  const folder = resolve(projectFolder, requestedFolder ?? '.data');
  if (!user || (isReachable(folder, user) && isReachable(packaged, user))) {
    return prepare({ binaries: binariesIn(packaged), folder, user });
  }
  if (requestedFolder !== undefined && !isReachable(folder, user)) {
    throw new Error(
      `DATA_DIR: expected a folder that the user with id ${user.uid}, who runs PostgreSQL for root, can reach; got ${folder}. ` +
        'Name another one, or start as another user.',
    );
  }
  const name = `${basename(projectFolder)}-${createHash('sha256').update(projectFolder).digest('hex').slice(0, 8)}`;
  const refuge = join('/var/lib/node-message-queue', name);
  mkdirSync(refuge, { recursive: true, mode: 0o755 });
  const programs = join(refuge, 'postgres-programs');
  copyBinaries(programs);
  return prepare({
    binaries: binariesIn(programs),
    folder: requestedFolder === undefined ? join(refuge, 'data') : folder,
    user,
  });
}

function prepare(location: PostgresLocation): PostgresLocation {
  const made = mkdirSync(location.folder, { recursive: true, mode: 0o700 });
  // A folder that was there before belongs to whoever made it.
  if (made !== undefined && location.user) chownSync(location.folder, location.user.uid, location.user.gid);
  return location;
}
