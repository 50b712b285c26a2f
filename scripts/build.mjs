// Builds everything into dist/: the Prisma client from its schema, all TypeScript with SWC, the web client with Vite.
// A plain script, so that npm needs no shell of its own. `node scripts/build.mjs`
import '../libs/configuration/src/check-node.cjs';
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemEnvironment } from './system-environment.cjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);

generatePrismaClient();
emptyDist();
run('@swc/cli/bin/swc.js', [
  'apps',
  'libs',
  'examples',
  'scripts',
  'test',
  '-d',
  'dist',
  '--copy-files',
  '--ignore',
  '**/*.spec.ts,apps/web',
  '--quiet',
]);
buildWebClient();

/** Everything but the web client, which stays as long as nothing of it has changed. */
function emptyDist() {
  const dist = join(root, 'dist');
  for (const folder of ['apps', '.']) {
    for (const name of existsSync(join(dist, folder)) ? readdirSync(join(dist, folder)) : []) {
      if (join(folder, name) === 'apps' || join(folder, name) === join('apps', 'web')) continue;
      rmSync(join(dist, folder, name), { recursive: true, force: true });
    }
  }
}

function buildWebClient() {
  const source = join(root, 'apps/web');
  const stamp = join(root, 'dist/apps/web/.sources-sha256');
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  const files = readdirSync(source, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const file of files.map(({ parentPath, name }) => join(parentPath, name)).sort()) {
    hash.update(file.slice(source.length)).update(readFileSync(file));
  }
  const digest = hash.digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  run('vite/bin/vite.js', ['build', 'apps/web', '--logLevel', 'warn']);
  writeFileSync(stamp, digest);
}

function generatePrismaClient() {
  const generated = join(root, 'libs/database/src/generated/prisma');
  const stamp = join(generated, '.schema-sha256');
  const folder = join(root, 'prisma/schema');
  const schema = readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'));
  const version = require('@prisma/client/package.json').version;
  const digest = createHash('sha256').update(schema.join()).update(version).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  // The command line wants a schema engine, which it would download, although `generate` never runs it:
  // any program that exists will do.
  run(
    'prisma/build/index.js',
    ['generate'],
    { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' },
    'pipe',
  );
  mkdirSync(generated, { recursive: true });
  writeFileSync(stamp, digest);
}

function run(module, args, environment = {}, stdout = 'inherit') {
  const [packageName, ...rest] = splitPackage(module);
  const script = join(dirname(require.resolve(`${packageName}/package.json`)), ...rest);
  const { status, stdout: output } = spawnSync(process.execPath, [script, ...args], {
    cwd: root,
    env: { ...systemEnvironment(), ...environment },
    stdio: ['ignore', stdout, 'inherit'],
    encoding: 'utf8',
  });
  if (status === 0) return;
  process.stderr.write(`${output || ''}\n${packageName} failed with exit code ${status}.\n`);
  process.exit(1);
}

function splitPackage(path) {
  const parts = path.split('/');
  const length = path.startsWith('@') ? 2 : 1;
  return [parts.slice(0, length).join('/'), ...parts.slice(length)];
}
