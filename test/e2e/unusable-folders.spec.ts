import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../scripts/postgres/free-port';
import { projectFolder } from '../support/postgres';

/** An unprivileged user, because root may write anywhere. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

describe('a folder that is not writable', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'unusable-'));
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, 'file'), '');
    mkdirSync(join(folder, 'locked'));
    chmodSync(join(folder, 'locked'), 0o555);
    symlinkSync('loop', join(folder, 'loop'));
    mkdirSync(join(folder, 'own'));
    if (nobody.uid) for (const name of ['locked', 'own']) chownSync(join(folder, name), nobody.uid, nobody.gid);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** @returns the output and the exit code of a program that has to exit by itself */
  function run(script: string, environment: Record<string, string>) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(projectFolder, 'dist', script)], {
      env: { PATH: process.env['PATH'], HOME: folder, DATABASE_URL: '', ...environment },
      encoding: 'utf8',
      timeout: 60_000,
      killSignal: 'SIGKILL',
      cwd: projectFolder,
      ...nobody,
    });
    return { status, said: stdout + stderr };
  }

  const kinds: readonly (readonly [string, string, string])[] = [
    ['without the right to write', 'locked/data', 'permission denied'],
    ['that is a file', 'file', 'it is a file'],
    ['below a file', 'file/below/deep', 'it, or a part of its path, is a file'],
    ['with too long a name', 'n'.repeat(300), 'its path is too long'],
    ['that is a link to itself', 'loop', 'its path is a link that leads to itself'],
  ];
  const sentence = (variable: string, path: string, reason: string) => ({
    status: 1,
    said: `${variable}: expected a folder that this process can write to, got ${path}: ${reason}.\n`,
  });

  it.each(kinds)('%s is refused as DATA_DIR by npm start in one sentence', async (_, name, reason) => {
    const path = join(folder, name);
    const port = String(await freePort());
    expect(run('scripts/start/main.js', { PORT: port, DATA_DIR: path })).toEqual(sentence('DATA_DIR', path, reason));
  });

  it('is refused as STORAGE_DIR by npm start in one sentence', async () => {
    const path = join(folder, 'file/below');
    const environment = { PORT: String(await freePort()), DATA_DIR: join(folder, 'own/data'), STORAGE_DIR: path };
    expect(run('scripts/start/main.js', environment)).toEqual(
      sentence('STORAGE_DIR', path, 'it, or a part of its path, is a file'),
    );
  });

  it.each(['api', 'report-worker', 'image-worker'])('is refused as STORAGE_DIR by %s', (app) => {
    const [, name, reason] = kinds[0]!;
    const environment = { DATABASE_URL: 'postgres://localhost/queue', STORAGE_DIR: join(folder, name) };
    const { status, said } = run(`apps/${app}/src/main.js`, environment);
    expect({ status, said }).toEqual({
      status: 1,
      said: `${app}: ${sentence('STORAGE_DIR', environment.STORAGE_DIR, reason).said}`,
    });
  });

  it.each(['seed', 'replay'])('is refused as DATA_DIR by npm run %s without a stack trace', (script) => {
    const { status, said } = run(`scripts/${script}/main.js`, { DATA_DIR: join(folder, 'file/below') });
    expect(status).toBe(1);
    expect(said).not.toMatch(/^ +at /m);
  });

  it('is refused once when its data have another owner, and PostgreSQL is not restarted again and again', async () => {
    const data = join(folder, 'own/foreign');
    mkdirSync(join(data, 'postgres'), { recursive: true });
    writeFileSync(join(data, 'postgres/PG_VERSION'), '9\n');
    chmodSync(join(data, 'postgres'), 0o700);
    if (nobody.uid) for (const path of [data, join(data, 'postgres')]) chownSync(path, nobody.uid, nobody.gid);
    const { status, said } = run('scripts/start/main.js', { PORT: String(await freePort()), DATA_DIR: data });
    expect(status).toBe(1);
    expect(said).toMatch(/^PostgreSQL cannot run in [^\n]+ Correct that, or set DATA_DIR to another folder\.\n$/);
  });
});
