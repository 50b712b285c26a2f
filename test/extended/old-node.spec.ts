import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { projectFolder } from '../support/postgres';

const { scripts } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const names = Object.keys(scripts).filter((name) => !(name.startsWith('pre') && name.slice(3) in scripts));

/** The programs as systemd or a container starts them. */
const programs = ['dist/apps/api/src/main.js', 'dist/apps/email-worker/src/main.js', 'dist/scripts/migrate/main.js'];

/** Installs Node from npm, as .ci/run does with Node 24. */
function installNode(version: string): string {
  const folder = mkdtempSync(join(tmpdir(), `node-${version}-`));
  const name = `node-linux-${process.arch}`;
  const install = ['install', '--prefix', folder, '--no-save', '--no-package-lock', `${name}@${version}`];
  const { status, stderr } = spawnSync('npm', install, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm did not install ${name}@${version}: ${stderr}`);
  return folder;
}

describe.each(['16.20.2', '18.20.8', '20.19.0'])('on Node %s', (version) => {
  let folder: string;

  beforeAll(() => {
    folder = installNode(version);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs the command of a script as npm does. The npm of this Node version is not installed here. */
  function run(command: string) {
    const bin = join(folder, `node_modules/node-linux-${process.arch}/bin`);
    expect(existsSync(join(bin, 'node'))).toBe(true);
    const path = [bin, join(projectFolder, 'node_modules/.bin'), process.env['PATH']].join(delimiter);
    const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
      cwd: projectFolder,
      env: { PATH: path, HOME: process.env['HOME'] },
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { status, output: stdout + stderr };
  }

  const refusal = {
    status: 1,
    output: expect.stringMatching(new RegExp(`^Expected Node 20\\.20 or later, got Node ${version} [^\\n]+\\n$`)),
  };

  it.each(names)('npm run %s says in one sentence which Node it needs', (name) => {
    expect(run(scripts[`pre${name}`] ?? scripts[name]!)).toEqual(refusal);
  });

  if (version.startsWith('16')) return;

  it.each(programs)('%s says in one sentence which Node it needs', (program) => {
    expect(run(`node ${program}`)).toEqual(refusal);
  });
});
