// Builds everything into dist/: the Prisma client from its schema, then all TypeScript with SWC.
// A plain script, so that npm needs no shell of its own. `node scripts/build.mjs`
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);

generatePrismaClient();
rmSync(join(root, 'dist'), { recursive: true, force: true });
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
  '**/*.spec.ts',
  '--quiet',
]);

function generatePrismaClient() {
  const generated = join(root, 'libs/persistence/src/generated/prisma');
  const stamp = join(generated, '.schema-sha256');
  const schema = readFileSync(join(root, 'prisma/schema.prisma'));
  const version = require('@prisma/client/package.json').version;
  const digest = createHash('sha256').update(schema).update(version).digest('hex');
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
    env: { ...process.env, ...environment },
    stdio: ['ignore', stdout, 'inherit'],
    encoding: 'utf8',
  });
  if (status === 0) return;
  process.stderr.write(`${output ?? ''}\n${packageName} failed with exit code ${status}.\n`);
  process.exit(1);
}

function splitPackage(path) {
  const parts = path.split('/');
  const length = path.startsWith('@') ? 2 : 1;
  return [parts.slice(0, length).join('/'), ...parts.slice(length)];
}
