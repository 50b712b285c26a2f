import { createHash } from 'node:crypto';
import { accessSync, chmodSync, constants, realpathSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartRefused } from './start-refused';

/** Another process has locked the folder. */
export interface FolderInUse {
  /**
   * Says who the other process is, for an error message: the text to append to "in use by another start", such as
   * " (process 42)" or " of another user". Empty when this is unknown.
   */
  readonly owner: string;
}

const answerMs = 1_000;

/**
 * Locks a folder for one owner. The lock is a listening local socket, which the system closes with its process: a pid
 * in a file may by now belong to another program. A client that connects gets the pid of the owner.
 * @param folder must exist
 * @returns the lock, to be closed at the end; or that the folder is in use
 */
export async function lockFolder(folder: string): Promise<{ readonly server: Server } | FolderInUse> {
  const name = `node-message-queue-${createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 16)}`;
  const path = process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(socketFolder(), `${name}.sock`);
  try {
    const first = await listen(path);
    if (first) return { server: first };
    const owner = await ask(path);
    if (owner !== undefined) return { owner };
    rmSync(path, { force: true }); // A killed process has left it.
    const second = await listen(path);
    return second ? { server: second } : { owner: (await ask(path)) ?? '' };
  } catch (error) {
    throw new StartRefused(
      `TMPDIR: expected a folder for the lock of ${folder}, got ${path}: ${(error as Error).message}.`,
    );
  }
}

/** The same for every start on this machine: TMPDIR may differ between terminals. */
function socketFolder(): string {
  try {
    accessSync('/tmp', constants.W_OK | constants.X_OK);
    return '/tmp';
  } catch {
    return tmpdir();
  }
}

function listen(path: string): Promise<Server | undefined> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined); // The client may disconnect before the answer.
    socket.end(String(process.pid));
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(path, () => {
      if (process.platform !== 'win32') chmodSync(path, 0o666); // Another user may ask, too.
      resolve(server);
    });
  });
}

/** @returns the words about the owner, for `FolderInUse`; undefined when no process listens any more */
function ask(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let pid = '';
    socket.setEncoding('utf8').on('data', (text: string) => (pid += text));
    socket.setTimeout(answerMs, () => {
      resolve(', which does not answer (a process that was stopped with Ctrl-Z?)');
      socket.destroy();
    });
    socket.once('end', () => resolve(` (process ${pid})`));
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'EACCES' ? ' of another user' : undefined),
    );
  });
}
