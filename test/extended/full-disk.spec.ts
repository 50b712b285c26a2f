import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../scripts/postgres/free-port';
import { projectFolder } from '../support/postgres';

const asRoot = process.getuid?.() === 0 ? describe : describe.skip;

asRoot('npm start', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'full-disk-'));
  });

  afterEach(() => {
    spawnSync('umount', [folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  async function startOn(...mountOptions: readonly string[]) {
    const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', ...mountOptions, 'none', folder], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`mount: ${stderr}`);
    if (!mountOptions.includes('ro')) chmodSync(folder, 0o755);
    const started = spawnSync(process.execPath, [join(projectFolder, 'dist/scripts/start/main.js')], {
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        PORT: String(await freePort()),
        DATA_DIR: join(folder, 'data'),
      },
      encoding: 'utf8',
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    return { status: started.status, said: started.stdout + started.stderr };
  }

  it.each([
    ['has no byte left', ['-o', 'size=4k']],
    ['has no room for a database', ['-o', 'size=4m']],
  ])('refuses a disk that %s in one sentence', async (_, options) => {
    const { status, said } = await startOn(...options);
    expect(status).toBe(1);
    expect(said).toMatch(/^[^\n]*(No space left on device|its disk is full)[^\n]*\n$/);
  });

  it('refuses a read-only file system in one sentence', async () => {
    const { status, said } = await startOn('-o', 'ro');
    expect(status).toBe(1);
    expect(said).toBe(
      `DATA_DIR: expected a folder that this process can write to, got ${join(folder, 'data')}: its file system is read-only.\n`,
    );
  });
});
