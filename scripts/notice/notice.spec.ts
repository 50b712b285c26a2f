import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { noticeOf } from './notice';
import { shippedWith } from './shipped-packages';

const projectFolder = join(__dirname, '../..');
const notice = readFileSync(join(projectFolder, 'NOTICE'), 'utf8');

/**
 * Licences that we have read and whose conditions we meet. 'none named' is the one package without a licence (see
 * shipped-packages.ts).
 */
const accepted = new Set([
  '(MIT AND Zlib)',
  '(MIT OR GPL-3.0-or-later)',
  '0BSD',
  'Apache-2.0',
  'Apache-2.0 AND LGPL-3.0-or-later',
  'Apache-2.0 AND LGPL-3.0-or-later AND MIT',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'LGPL-3.0-or-later',
  'MIT',
  'MIT-0',
  'OFL-1.1',
  'Python-2.0',
  'Unlicense',
  'none named',
]);

describe('NOTICE', () => {
  it('has the content that `npm run notice` writes', () => {
    expect(notice).toBe(noticeOf(projectFolder));
  });

  it('names accepted licences only', () => {
    const licenses = [...notice.matchAll(/^(.+): \S+ \d+\.\d+\.\d+\S*$/gm)].map(([, license]) => license!);
    expect(licenses.length).toBeGreaterThan(100);
    expect([...new Set(licenses)].filter((license) => !accepted.has(license))).toEqual([]);
  });

  it('is copied into the image, together with the licence files that it refers to', () => {
    const dockerfile = readFileSync(join(projectFolder, 'Dockerfile'), 'utf8');
    expect(dockerfile).toContain('COPY LICENSE NOTICE ./\nCOPY licenses licenses\n');
    const ignored = readFileSync(join(projectFolder, '.dockerignore'), 'utf8');
    for (const name of ['LICENSE', 'NOTICE', 'licenses']) expect(ignored).toContain(`\n!${name}\n`);
  });
});

describe('shippedWith', () => {
  const locked = {
    'node_modules/a': { version: '1.0.0', license: 'MIT', dependencies: { b: '^2' }, peerDependencies: { c: '*' } },
    'node_modules/a/node_modules/b': { version: '2.0.0', license: 'ISC' },
    'node_modules/b': { version: '1.0.0', license: 'MIT', optionalDependencies: { absent: '*' } },
    'node_modules/c': {
      version: '1.0.0',
      license: 'MIT',
      peerDependencies: { d: '*' },
      peerDependenciesMeta: { d: { optional: true } },
    },
    'node_modules/d': { version: '1.0.0', license: 'GPL-3.0-only' },
    'node_modules/e': { version: '1.0.0' },
  };
  const namesWith = (...roots: string[]) => shippedWith(locked, roots).map(({ name, version }) => `${name} ${version}`);

  it('finds the packages that Node resolves from each package, and the peer dependencies that are not optional', () => {
    expect(namesWith('a')).toEqual(['a 1.0.0', 'b 2.0.0', 'c 1.0.0']);
    expect(namesWith('a', 'b')).toEqual(['a 1.0.0', 'b 2.0.0', 'c 1.0.0', 'b 1.0.0']);
  });

  it('refuses a package without a licence', () => {
    expect(() => namesWith('e')).toThrow('e 1.0.0 names no licence');
  });
});
