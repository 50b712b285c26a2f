import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join, relative } from 'node:path';
import { transformFile } from '@swc/core';
import { root } from './build-step.mjs';

const folders = ['apps', 'libs', 'examples', 'scripts', 'test'];
/** Tests run from their sources. Vite builds the web client. */
const notCompiled = /\.spec\.ts$|\.d\.[cm]?ts$|^apps\/web\//;

/**
 * Compiles all TypeScript into dist/ as .swcrc says, each file with its source map, and copies what else programs read.
 * Ends this process when a file does not compile.
 */
export async function compile() {
  const paths = folders
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((path) => !notCompiled.test(path));
  const outcomes = await Promise.allSettled(
    paths.map((path) => (extname(path) === '.ts' ? compileFile(path) : copy(path))),
  );
  const faults = outcomes.filter(({ status }) => status === 'rejected').map(({ reason }) => reason.message);
  if (faults.length === 0) return;
  process.stderr.write(`${faults.join('\n')}\n`);
  process.exit(1);
}

async function compileFile(path) {
  const out = join(root, 'dist', path.replace(/\.ts$/, '.js'));
  const sourceFileName = relative(dirname(out), join(root, path));
  const { code, map } = await transformFile(join(root, path), { cwd: root, sourceFileName });
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, `${code}//# sourceMappingURL=${basename(out)}.map\n`);
  writeFileSync(`${out}.map`, map);
}

async function copy(path) {
  cpSync(join(root, path), join(root, 'dist', path));
}
