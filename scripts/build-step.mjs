import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemEnvironment } from './system-environment.cjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const require = createRequire(import.meta.url);

/** Builds unless the stamp beside the last build has the digest of the same sources. */
export function unlessBuilt(stamp, digest, build) {
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  build();
  writeFileSync(stamp, digest);
}

/** Runs the program of an installed package. Ends this process when it fails. */
export function run(packageName, program, args, environment = {}, stdout = 'inherit') {
  const script = join(dirname(require.resolve(`${packageName}/package.json`)), program);
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
