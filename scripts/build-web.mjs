import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, unlessBuilt } from './build-step.mjs';

export function buildWebClient() {
  const source = join(root, 'apps/web');
  const stamp = join(root, 'dist/apps/web/.sources-sha256');
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  const files = readdirSync(source, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const file of files.map(({ parentPath, name }) => join(parentPath, name)).sort()) {
    hash.update(file.slice(source.length)).update(readFileSync(file));
  }
  unlessBuilt(stamp, hash.digest('hex'), () => run('vite', 'bin/vite.js', ['build', 'apps/web', '--logLevel', 'warn']));
}
