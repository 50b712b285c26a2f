import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const root = join(__dirname, '..');
const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md'],
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

const textOf = (file: string) => readFileSync(join(root, file), 'utf8');
const withoutCode = (text: string) => text.replace(/^```.*?^```$/gms, '');

/** The anchors that GitHub gives to the headings of a page. */
const anchorsOf = (file: string) =>
  [...withoutCode(textOf(file)).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

/** As a function, a class, a type, a member, or a CTE of a statement. */
const isDeclared = (name: string, code: string) =>
  [
    `\\b(function\\*?|class|const|let|interface|type|enum|model) ${name}\\b`,
    `^\\s+((private|protected|static|async|override|readonly|get) )*${name}\\s*[(<:=?]`,
    `\\b${name} AS\\b`,
  ].some((declaration) => new RegExp(declaration, 'm').test(code));

describe.each(pages)('%s', (page) => {
  const text = withoutCode(textOf(page));

  it('links only to files and headings that exist', () => {
    const missing = [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].flatMap(([, link]) => {
      const [path, anchor] = link!.split('#') as [string, string?];
      const target = path === '' ? page : relative(root, join(root, dirname(page), path));
      if (!existsSync(join(root, target))) return [link];
      return anchor === undefined || anchorsOf(target).includes(anchor) ? [] : [link];
    });
    expect(missing).toEqual([]);
  });

  // "`Worker.drain` in [worker.ts](../libs/messaging/src/worker/worker.ts)"
  it('names only code that is declared in the file it links to', () => {
    const missing = [...text.matchAll(/`([\w.]+)`\s+in\s+\[`?[^\]]+`?\]\(([^)#\s]+\.(?:ts|tsx|sql|prisma))\)/g)].filter(
      ([, symbol, path]) => {
        const target = join(dirname(page), path!);
        if (!existsSync(join(root, target)) || !statSync(join(root, target)).isFile()) return true;
        return !symbol!.split('.').every((part) => isDeclared(part, textOf(target)));
      },
    );
    expect(missing.map(([whole]) => whole)).toEqual([]);
  });
});
