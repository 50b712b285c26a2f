import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findExamples } from '../examples/example';
import { embedInto, listExamples, withoutEmbedded } from './embed';
import { fencesOf } from './markdown';
import { findPages } from './pages';

const root = join(__dirname, '../..');
const textOf = (page: string) => readFileSync(join(root, page), 'utf8');
const pages = findPages(root);

/** The pages of the course: code that nothing runs is not allowed there. */
const ofTheCourse = /^docs\/(zh-CN\/)?(\d\d-[\w-]+|diagrams|traps|more-traps|what-other-texts-say)\.md$/;

/** Data, drawings, commands (pages.spec.ts checks them), and output whose lines differ from run to run. */
const languagesWithoutCode = new Set(['console', 'json', 'mermaid', 'sh', 'text']);

describe('npm run docs:embed', () => {
  it.each(pages)('has nothing to change in %s', (page) => {
    expect(listExamples(embedInto(textOf(page), root), root)).toBe(textOf(page));
  });

  it('examples/README.md lists each example once', () => {
    const names = [...textOf('examples/README.md').matchAll(/<!-- examples: (.+?) -->/g)].flatMap(([, list]) =>
      list!.split(' '),
    );
    expect(names.map((name) => `examples/${name}.ts`).sort()).toEqual(findExamples(root).map(({ file }) => file));
  });

  it.each(pages.filter((page) => ofTheCourse.test(page)))('%s shows no code of its own', (page) => {
    const own = fencesOf(withoutEmbedded(textOf(page))).filter(
      ({ language, lineBefore }) => !languagesWithoutCode.has(language) && !/^<!-- wrong: .+ -->$/.test(lineBefore),
    );
    expect(own).toEqual([]);
  });

  it('fills a block and keeps what stands around it', () => {
    const page = 'Before\n\n<!-- embed: .npmrc -->\n\n```sh\nold\n```\n\n<!-- /embed -->\n\nAfter\n';
    const fresh = `Before\n\n<!-- embed: .npmrc -->\n\n\`\`\`sh\n${textOf('.npmrc').trimEnd()}\n\`\`\`\n\n<!-- /embed -->\n\nAfter\n`;
    expect(embedInto(page, root)).toBe(fresh);
    expect(withoutEmbedded(page)).toBe('Before\n\n\n\nAfter\n');
  });

  it('refuses a path or a selector with nothing behind it', () => {
    const block = (place: string) => `<!-- embed: ${place} -->\n\n\`\`\`ts\n\`\`\`\n\n<!-- /embed -->`;
    expect(() => embedInto(block('nowhere.ts'), root)).toThrow('nowhere.ts');
    expect(() => embedInto(block('scripts/docs/embed.ts > nothing'), root)).toThrow('has nothing that the selector');
  });
});
