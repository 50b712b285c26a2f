import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Runs in a separate process, because Jest on Node 20 does not load ES modules. */
function apiAddress(environment: Record<string, string>): string {
  const script = `import('./api-address.mjs').then(({ apiAddress }) => process.stdout.write(apiAddress()))`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
    cwd: join(__dirname),
    env: environment,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout;
}

it.each([
  [{ PORT: '3100' }, 'http://127.0.0.1:3100'],
  [{ PORT: '', HOST: '' }, 'http://127.0.0.1:3000'],
  [{ PORT: '3100', HOST: '0.0.0.0' }, 'http://127.0.0.1:3100'],
  [{ PORT: '3100', HOST: '::' }, 'http://[::1]:3100'],
  [{ PORT: '3100', HOST: '127.0.0.2' }, 'http://127.0.0.2:3100'],
])('the commands of the web client, with %j, call the API at %s', (environment, address) => {
  expect(apiAddress(environment)).toBe(address);
});
