import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settings } from '@app/configuration';
import { Gone } from './gone';
import { filesOfProject, planTemplate, writeTemplate } from './make-template';
import { partsLeftOut, readParts, type Part, type Wish } from './parts';
import { pruneCode, type Sources } from './prune-code';
import { pruneData } from './prune-data';
import { prunePages } from './prune-pages';

const projectFolder = join(__dirname, '../..');
const paths = filesOfProject(projectFolder);
const parts = readParts(projectFolder, paths);
const namesOf = (is: Part['is']) => parts.filter((part) => part.is === is).map(({ name }) => name);
const everything: Wish = { jobs: namesOf('job'), brokers: namesOf('broker'), web: true };
const smallest: Wish = { jobs: ['email'], brokers: ['bullmq'], web: false };

describe('a part.json', () => {
  it.each(parts)('of $name names only what exists', ({ folder, needs, files, dependencies, variables, services }) => {
    expect(existsSync(join(projectFolder, folder))).toBe(true);
    expect(files.filter((file) => !existsSync(join(projectFolder, file)))).toEqual([]);
    expect(needs.filter((need) => !parts.some(({ name }) => name === need))).toEqual([]);
    const content = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as Record<string, object>;
    const packages = { ...content['dependencies'], ...content['devDependencies'] };
    expect(dependencies.filter((name) => !(name in packages))).toEqual([]);
    const environment = readFileSync(join(projectFolder, 'compose.development.env'), 'utf8');
    expect(variables.filter((name) => !(name in settings) && !environment.includes(name))).toEqual([]);
    const compose = readFileSync(join(projectFolder, 'docker-compose.yml'), 'utf8');
    expect(services.filter((name) => !new RegExp(`^ *${name}:`, 'm').test(compose))).toEqual([]);
  });
});

describe('the choice of parts', () => {
  it.each<[string, Partial<Wish>, string]>([
    ['an unknown job', { jobs: ['letter'] }, '--jobs: expected some of email, '],
    ['an unknown broker', { brokers: ['bullmq', 'nats'] }, '--brokers: expected some of '],
    ['no job', { jobs: [] }, '--jobs: expected at least one job'],
    ['a broker that replaces BullMQ', { brokers: ['kafka'] }, 'write bullmq,kafka'],
    ['the web client without the jobs of its forms', { web: true }, 'The part web needs '],
  ])('refuses %s', (_, change, message) => {
    expect(() => partsLeftOut(parts, { ...smallest, ...change })).toThrow(message);
  });

  it('keeps a library that a part needs, and no other', () => {
    const libraries = (wish: Wish) => partsLeftOut(parts, wish).filter(({ is }) => is === 'library');
    expect(libraries(smallest).map(({ name }) => name)).toEqual(['storage', 'seed']);
    expect(libraries({ ...smallest, jobs: ['report'] }).map(({ name }) => name)).toEqual(['mailbox']);
    expect(libraries(everything)).toEqual([]);
  });

  it('keeps the course only when nothing else is left out', () => {
    const course = (wish: Wish) => partsLeftOut(parts, wish).filter(({ is }) => is === 'course').length;
    expect(course(everything)).toBe(0);
    expect(course({ ...everything, web: false })).toBe(1);
  });
});

describe('a project of all parts', () => {
  it('is this repository, byte for byte', async () => {
    const { files, isCutDown } = await planTemplate(projectFolder, everything);
    expect(isCutDown).toBe(false);
    expect([...files.keys()]).toEqual(paths);
    expect(
      paths.filter((path) => !readFileSync(join(projectFolder, path)).equals(Buffer.from(files.get(path)!))),
    ).toEqual([]);
  });
});

describe('the folder of a project', () => {
  const folder = mkdtempSync(join(tmpdir(), 'template-'));
  const template = { files: new Map([['package.json', '{}']]), isCutDown: false };

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is refused when it is not empty, and stays as it was', () => {
    const target = join(folder, 'full');
    mkdirSync(target);
    writeFileSync(join(target, 'mine.txt'), 'mine');
    expect(() => writeTemplate(projectFolder, target, template)).toThrow('is not an empty folder');
    expect(readdirSync(target)).toEqual(['mine.txt']);
  });

  it('leaves nothing behind when it cannot be written', () => {
    writeFileSync(join(folder, 'file'), '');
    const files = new Map([...template.files, ['package.json/impossible', '']]);
    const target = join(folder, 'a/b');
    expect(() => writeTemplate(projectFolder, target, { ...template, files })).toThrow('cannot be written');
    expect(existsSync(join(folder, 'a'))).toBe(false);
  });

  it('is refused below a link that leads nowhere', () => {
    symlinkSync(join(folder, 'missing'), join(folder, 'link'));
    expect(() => writeTemplate(projectFolder, join(folder, 'link/a/b'), template)).toThrow('cannot be written');
    expect(readdirSync(folder)).not.toContain('missing');
  });

  it('is a repository that Git knows', () => {
    expect(() => filesOfProject(folder)).toThrow('Git says which files belong to the project');
  });
});

describe('pruning', () => {
  const part = (over: Partial<Part>): Part => ({
    ...{ name: 'fax', is: 'job', folder: 'libs/fax', needs: [], files: [], dependencies: [], variables: [] },
    ...{ services: [], words: [], sections: [], programs: [] },
    ...over,
  });
  const fax = part({
    dependencies: ['faxlib'],
    variables: ['FAX_URL'],
    services: ['fax-worker'],
    words: ['fax.send', '/faxes'],
    files: ['apps/fax-worker', 'docs/fax.md'],
  });
  const withoutFax = () => new Gone([fax], []);

  /** @returns the file after pruning */
  function pruned(code: string, name = 'main.ts'): string | undefined {
    const gone = withoutFax();
    const original: Sources = new Map([
      [name, code],
      ['libs/fax/index.ts', 'export const fax = 1;'],
      ['kept.ts', 'export const kept = 1;'],
    ]);
    const sources: Sources = new Map([...original].filter(([path]) => !gone.hasPath(path)));
    pruneCode(sources, original, gone, new Map([['@app/*', 'libs/*']]));
    return sources.get(name);
  }

  /** Without the layout, which Prettier makes. */
  const bare = (code: string | undefined) => code?.replace(/\s+/g, '').replace(/,(?=[\]}])/g, '');

  it.each([
    ['an element of a list', `export const all = [kept, fax];`, `export const all = [kept];`],
    ['an entry of an object', `export const all = { kept, fax };`, `export const all = { kept };`],
    ['a member of a type', `export type All = typeof kept | 'fax-worker' | 1;`, `export type All = typeof kept | 1;`],
    ['an object with it', `export const all = [{ kept }, { first: fax }];`, `export const all = [{ kept }];`],
    ['a statement', `export function run() { use(fax); use(kept); }`, `export function run() { use(kept); }`],
    [
      'a condition',
      `export function run(settings: { FAX_URL?: 1 }) { if (settings.FAX_URL) use(1); use(kept); }`,
      `export function run(settings: {}) { use(kept); }`,
    ],
    [
      'a function that returns it',
      `export const first = kept; export function second() { return fax; }`,
      `export const first = kept;`,
    ],
    ['what used it', `const first = fax; export const all = [first + 1, kept];`, `export const all = [kept];`],
  ])('takes out %s', (_, code, left) => {
    const text = pruned(`import { fax } from '@app/fax'; import { kept } from './kept'; ${code}`);
    expect(bare(text)).toBe(bare(`import { kept } from './kept'; ${left}`));
  });

  it('takes out a test as a whole, and a file without tests', () => {
    const spec = `it('a', () => { use(1); }); it('b', async () => { await post('/v1/faxes'); use(2); });`;
    expect(bare(pruned(spec, 'test/main.spec.ts'))).toBe(bare(`it('a', () => { use(1); });`));
    expect(pruned(`describe('x', () => { it('b', () => post('/v1/faxes')); });`, 'test/main.spec.ts')).toBeUndefined();
  });

  it('takes out a test whose request goes to a removed route, also at the end of a template and before other lines', () => {
    const spec = (code: string) => `it('a', () => { use(1); }); it('b', async () => { ${code} });`;
    for (const code of [
      'await fetch(`${url}/v1/faxes`);',
      "send(['POST /v1/faxes HTTP/1.1', ...headers]);",
      "const post = () => { use(1); send('/v1/faxes'); }; post();",
    ]) {
      expect(bare(pruned(spec(code), 'test/main.spec.ts'))).toBe(bare(`it('a', () => { use(1); });`));
    }
  });

  it('takes out what only the removed code used', () => {
    const code = `import { fax } from '@app/fax'; import { kept } from './kept'; use(fax, kept); run();`;
    expect(bare(pruned(code))).toBe('run();');
  });

  it('changes nothing that does not name the part', () => {
    const code = `import { kept } from './kept'; export const text = 'a fax'; export const faxes = [kept, 1];`;
    expect(pruned(code)).toBe(code);
  });

  it('takes the packages, scripts, services and settings out of the lists', () => {
    const sources: Sources = new Map([
      [
        'package.json',
        JSON.stringify({
          scripts: { a: 'x && node dist/apps/fax-worker/a.js', b: 'x && faxlib' },
          dependencies: { faxlib: '1' },
        }),
      ],
      [
        'nest-cli.json',
        JSON.stringify({ projects: { 'fax-worker': { root: 'apps/fax-worker' }, api: { root: 'apps/api' } } }),
      ],
      [
        'docker-compose.yml',
        'services:\n  api:\n    environment:\n      FAX_URL: x\n      PORT: 1\n\n  # Fax.\n  fax-worker:\n    image: x\n',
      ],
      ['.env.example', '# One\n#PORT=1\n\n# The fax\n#FAX_URL=x\n\n# Last\n#HOST=x\n'],
      ['apps/web/src/api/schema.d.ts', 'broker?: "bullmq" | "telex" | "kafka";'],
    ]);
    const telex = part({ name: 'telex', is: 'broker', words: ['telex'] });
    pruneData(sources, new Gone([fax, telex], []));
    expect(sources.get('apps/web/src/api/schema.d.ts')).toBe('broker?: "bullmq" | "kafka";');
    expect(JSON.parse(sources.get('package.json')!)).toEqual({ scripts: { a: 'x', b: 'x' }, dependencies: {} });
    expect(JSON.parse(sources.get('nest-cli.json')!)).toEqual({ projects: { api: { root: 'apps/api' } } });
    expect(sources.get('docker-compose.yml')!.trim()).toBe('services:\n  api:\n    environment:\n      PORT: 1');
    expect(sources.get('.env.example')).toBe('# One\n#PORT=1\n\n# Last\n#HOST=x\n');
  });

  function prunedPages(files: Record<string, string>, left: Part = fax): Sources {
    const gone = new Gone([left], []);
    const original: Sources = new Map(Object.entries(files));
    const sources: Sources = new Map([...original].filter(([path]) => !gone.hasPath(path)));
    prunePages(sources, original, new Set(sources.keys()), gone);
    return sources;
  }

  it('takes rows and items out of pages, and the links of sentences', () => {
    const page =
      '# A\n\nSee [fax](docs/fax.md) and [b](b.md).\n\n- [Fax](docs/fax.md): x\n- [B](b.md)\n\n## Fax\n\n- [Fax](docs/fax.md)\n';
    const sources = prunedPages({ 'a.md': page, 'b.md': '# B\n', 'docs/fax.md': '# Fax\n' });
    expect(sources.get('a.md')).toBe('# A\n\nSee fax and [b](b.md).\n\n- [B](b.md)');
  });

  it('removes from pages a link in parentheses with the parentheses, rows whose code names a removed part, and sections of the README', () => {
    const readme =
      '# A\n\n## Fax\n\nFax it.\n\n## Rest\n\nIt works ([fax](docs/fax.md)).\n\n| a | b |\n| - | - |\n| fax | `FAX_URL=x` |\n| port | `PORT=1` |\n';
    const sources = prunedPages({ 'README.md': readme, 'docs/fax.md': '# Fax\n' }, { ...fax, sections: ['Fax'] });
    expect(sources.get('README.md')).toBe('# A\n\n## Rest\n\nIt works.\n\n| a | b |\n| - | - |\n| port | `PORT=1` |\n');
  });

  it('keeps a row that names a part that stays, without the names of removed ones, and each step of a sequence', () => {
    const page =
      '# A\n\n| a | b |\n| - | - |\n| where | `mail`, `post` or `fax` |\n| fax | `fax` |\n\n1. Ask `fax`.\n2. Then wait.\n';
    const gone = new Gone([{ ...fax, words: ['fax'] }], [{ ...fax, name: 'mail', words: ['mail', 'post'] }]);
    const original: Sources = new Map([['a.md', page]]);
    const sources: Sources = new Map(original);
    prunePages(sources, original, new Set(sources.keys()), gone);
    expect(sources.get('a.md')).toBe(
      '# A\n\n| a | b |\n| - | - |\n| where | `mail`, `post` |\n\n1. Ask `fax`.\n2. Then wait.\n',
    );
  });

  it.each([
    ['a sentence about a part', 'It runs. `FAX_URL` adds faxes. It ends.', 'It runs. It ends.'],
    ['a sentence about a path', 'It runs. `docs/fax.md` has more.', 'It runs.'],
    ['a paragraph without its first sentence', '`npm run fax` sends one. It waits.', undefined],
    ['a name in an enumeration', 'Set `PORT` or `FAX_URL` here.', 'Set `PORT` here.'],
    ['a block with a removed command, and what leads to it', 'It runs. Then:\n\n```sh\nnpm run fax\n```', 'It runs.'],
    ['a file and what leads to it', 'See `docs/fax.md`:\n\n**`b.md`**\n\n```md\n# B\n```', undefined],
  ])('takes %s out of a page', (_, text, left) => {
    const scripts = (...names: string[]) =>
      JSON.stringify({ scripts: Object.fromEntries(names.map((one) => [one, 'x'])) });
    const original = new Map([
      ['a.md', `# A\n\n${text}\n\nThe end.`],
      ['b.md', '# B'],
      ['docs/fax.md', '# Fax'],
      ['package.json', scripts('fax', 'test')],
    ]);
    const sources: Sources = new Map([...original, ['package.json', scripts('test')]]);
    sources.delete('docs/fax.md');
    prunePages(sources, original, new Set(sources.keys()), withoutFax());
    expect(sources.get('a.md')).toBe(['# A', left, 'The end.'].filter((one) => one !== undefined).join('\n\n'));
  });

  it('keeps a key that has the name of a removed folder', () => {
    const gone = new Gone([{ ...fax, files: ['fax'] }], []);
    const original: Sources = new Map([['main.ts', 'export const all = { fax: 1 };']]);
    const sources: Sources = new Map(original);
    pruneCode(sources, original, gone, new Map());
    expect(sources).toEqual(original);
  });
});
