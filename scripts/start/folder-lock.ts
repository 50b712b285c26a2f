import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * One owner per folder. The lock is a listening local socket, which the system takes away with its process: a
 * pid in a file may be somebody else's by now.
 * @returns the lock, to be closed at the end; undefined when another process has it
 */
export async function lockFolder(folder: string): Promise<Server | undefined> {
  const name = `node-message-queue-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`;
  const path = process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`);
  const lock = await listen(path);
  if (lock || (await isAnswered(path))) return lock;
  rmSync(path, { force: true }); // Left behind by a process that was killed.
  return listen(path);
}

function listen(path: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.end());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(path, () => resolve(server));
  });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
