// Builds everything into dist/: the Prisma client from its schema, all TypeScript with SWC, the web client with Vite.
// A plain script, so that npm needs no shell of its own. `node scripts/build.mjs`
import '../libs/configuration/src/check-node.cjs';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { buildWebClient } from './build-web.mjs';
import { root, run, unlessBuilt } from './build-step.mjs';
import { compile } from './compile.mjs';

const require = createRequire(import.meta.url);

if (!existsSync(join(root, 'node_modules/@prisma/client'))) {
  process.stderr.write('Expected the packages of package-lock.json in node_modules, got none: run npm ci first.\n');
  process.exit(1);
}
generatePrismaClient();
emptyDist();
await compile();
buildWebClient();

/** Everything but the web client, which stays as long as nothing of it has changed, the docs site, and Node's cache. */
function emptyDist() {
  const dist = join(root, 'dist');
  for (const folder of ['apps', '.']) {
    for (const name of existsSync(join(dist, folder)) ? readdirSync(join(dist, folder)) : []) {
      if (['apps', join('apps', 'web'), 'learn', 'compile-cache'].includes(join(folder, name))) continue;
      rmSync(join(dist, folder, name), { recursive: true, force: true });
    }
  }
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
  // The command line wants a schema engine, which it would download, although `generate` never runs it:
  // any program that exists will do.
  const environment = { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' };
  unlessBuilt(stamp, digest, () => run('prisma', 'build/index.js', ['generate'], environment, 'pipe'));
}
