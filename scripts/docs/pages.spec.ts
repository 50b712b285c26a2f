import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { anchorsOf, withoutCode } from './markdown';
import { findPages } from './pages';

const root = join(__dirname, '../..');
const pages = findPages(root);

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

/** What `npm run new:job -- invoice.generate` writes; test/e2e/new-job.spec.ts compares it with the page. */
const isGenerated = /\binvoice\b/;

const textOf = (file: string) => readFileSync(join(root, file), 'utf8');

/** As a function, a class, a type, a member, or a CTE of a statement. */
const isDeclared = (name: string, code: string) =>
  [
    `\\b(function\\*?|class|const|let|interface|type|enum|model) ${name}\\b`,
    `^\\s+((private|protected|static|async|override|readonly|get) )*${name}\\s*[(<:=?]`,
    `\\b${name} AS\\b`,
  ].some((declaration) => new RegExp(declaration, 'm').test(code));

/** In the file itself, or in the scenarios that a folder's specs share. */
function hasTitle(file: string, title: string): boolean {
  const folder = join(root, dirname(file));
  const shared = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(dirname(file), name));
  return [file, ...shared].some((one) => textOf(one).includes(title));
}

describe.each(pages)('%s', (page) => {
  const text = withoutCode(textOf(page));

  it('links only to files and headings that exist', () => {
    const missing = [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].flatMap(([, link]) => {
      const [path, anchor] = link!.split('#') as [string, string?];
      const target = path === '' ? page : relative(root, join(root, dirname(page), path));
      if (!existsSync(join(root, target))) return [link];
      return anchor === undefined || anchorsOf(textOf(target)).includes(anchor) ? [] : [link];
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

  it('names only npm scripts and test files that exist', () => {
    const commands = [...textOf(page).matchAll(/npm run ([\w:]*\w)|npx jest ([^`\n]+)/g)].flatMap(
      ([whole, script, rest]) => {
        if (script !== undefined) return script in scripts ? [] : [whole];
        // Jest takes all words after --selectProjects for names of projects.
        const files = rest!.split(/ --selectProjects \w+| -t /)[0]!.split(' ');
        if (!files.every((file) => existsSync(join(root, file)) || isGenerated.test(file))) return [whole];
        const title = / -t (['"])(.+)\1/.exec(rest!)?.[2];
        return title === undefined || files.some((file) => hasTitle(file, title)) ? [] : [whole];
      },
    );
    expect(commands).toEqual([]);
  });

  it('names only examples that exist', () => {
    const named = [...textOf(page).matchAll(/run-examples\.sh((?: [a-z][\w/-]*)+)/g)].flatMap(([, names]) =>
      names!.trim().split(' '),
    );
    expect(
      named.filter(
        (name) => !existsSync(join(root, 'examples', name)) && !existsSync(join(root, 'examples', `${name}.ts`)),
      ),
    ).toEqual([]);
  });
});
