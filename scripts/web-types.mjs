// Writes the types of the web client from the OpenAPI document of the API that runs. `npm run web:types`
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { apiAddress } from './api-address.mjs';

const document = `${apiAddress()}/docs-json`;
const isThere = await fetch(document).then(
  ({ ok }) => ok,
  () => false,
);
if (!isThere) {
  process.stderr.write(
    `Expected the API at ${document}, got no document there. Run npm start, and set PORT to the port that npm start uses.\n`,
  );
  process.exit(1);
}
const manifest = createRequire(import.meta.url).resolve('openapi-typescript/package.json');
const generator = join(dirname(manifest), 'bin/cli.js');
const output = process.argv[2] ?? 'apps/web/src/api/schema.d.ts';
const { status } = spawnSync(process.execPath, [generator, document, '-o', output], { stdio: 'inherit' });
process.exit(status ?? 1);
