import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** Reads the text of each page with another PDF library. It is an ES module, so it runs in a separate process. */
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
