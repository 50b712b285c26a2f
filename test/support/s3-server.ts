import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3Settings } from '../../libs/storage/src/s3-file-store';
import { freePort } from '../../scripts/postgres/free-port';
import { until } from './until';

export interface S3Server {
  readonly settings: S3Settings & { readonly endpoint: string };
  stop(): Promise<void>;
}

/** Starts a separate process that implements S3, with one bucket. */
export async function startS3Server(): Promise<S3Server> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 's3-'));
  const bucket = 'files';
  const script = join(require.resolve('s3rver/package.json'), '../bin/s3rver.js');
  const args = ['--directory', folder, '--address', '127.0.0.1', '--port', String(port), '--configure-bucket', bucket];
  const child = spawn(process.execPath, ['--no-deprecation', script, ...args, '--silent'], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await until('the S3 server listens', () => answers(port), Boolean);
  return {
    settings: {
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      bucket,
      accessKeyId: 'S3RVER',
      secretAccessKey: 'S3RVER',
    },
    stop: async () => {
      child.kill();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
