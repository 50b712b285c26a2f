import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** The text of each page, as a reader of another make finds it. It is an ES module: a process of its own. */
export async function readPdf(bytes: Buffer): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      ['--no-warnings', join(__dirname, 'pdf-text.mjs')],
      { maxBuffer: 64 * 1024 * 1024 },
      (error, stdout) => (error ? reject(new Error(error.message)) : resolve(JSON.parse(stdout) as string[])),
    );
    child.stdin!.end(bytes);
  });
}
