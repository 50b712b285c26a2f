import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { readApps } from './start/apps';

const projectFolder = join(__dirname, '..');
const read = (file: string) => readFileSync(join(projectFolder, file), 'utf8');
const check = 'libs/configuration/src/check-node.cjs';

/** @returns what the check prints before it exits with 1; undefined when it lets the process go on */
function refusalOn(node: string): string | undefined {
  let printed = '';
  let code: number | undefined;
  const process = {
    versions: { node },
    execPath: '/usr/bin/node',
    stderr: { write: (text: string) => (printed += text) },
    exit: (status: number) => (code = status),
  };
  runInNewContext(read(check), { process });
  expect([code, printed === '']).toEqual(printed === '' ? [undefined, true] : [1, false]);
  return printed || undefined;
}

describe('the check of the Node version', () => {
  const manifest = JSON.parse(read('package.json')) as { engines: { node: string }; scripts: Record<string, string> };

  it.each(['0.10.48', '14.21.3', '18.20.8', '20.0.0', '20.9.0', '20.19.6'])('refuses %s in one sentence', (node) => {
    expect(refusalOn(node)).toMatch(
      new RegExp(`^Expected Node 20\\.20 or later, got Node ${node} \\(/usr/bin/node\\)\\. [^\\n]+\\n$`),
    );
  });

  it.each(['20.20.0', '20.100.0', '22.0.0', '24.19.0', '100.0.0'])('accepts %s', (node) => {
    expect(refusalOn(node)).toBeUndefined();
  });

  it('asks for the version in package.json', () => {
    const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(manifest.engines.node)!;
    expect(refusalOn('1.0.0')).toContain(`Expected Node ${major}.${minor} or later`);
  });

  const names = Object.keys(manifest.scripts).filter(
    (name) => !(name.startsWith('pre') && name.slice(3) in manifest.scripts),
  );

  it.each(names)('runs before everything else in npm run %s', (name) => {
    const first = manifest.scripts[`pre${name}`] ?? manifest.scripts[name]!;
    expect([`node ${check}`, 'node scripts/build.mjs']).toContain(first);
  });

  it('is the first import of scripts/build.mjs', () => {
    expect(firstImport('scripts/build.mjs')).toBe(`../${check}`);
  });

  it.each(readApps(projectFolder).map(({ name }) => `apps/${name}/src/main.ts`))(
    'is the first import of %s',
    (file) => {
      expect(firstImport(file)).toBe(`../../../${check}`);
    },
  );

  it.each(
    ['start', 'migrate', 'seed', 'replay', 'brokers', 'capabilities', 'examples', 'template'].filter((script) =>
      existsSync(join(projectFolder, 'scripts', script)),
    ),
  )('is the first import of the script %s', (script) => {
    expect(firstImport(`scripts/${script}/main.ts`)).toBe(`../../${check}`);
  });
});

function firstImport(file: string): string | undefined {
  return /^import [^;]*'([^']+)';/m.exec(read(file))?.[1];
}
