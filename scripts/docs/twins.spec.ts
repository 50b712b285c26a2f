import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fencesOf, headingsOf, slugOf, withoutCode } from './markdown';

const root = join(__dirname, '../..');
const textOf = (page: string) => readFileSync(join(root, page), 'utf8');

/** English and Chinese. */
const twins: [english: string, chinese: string][] = [
  ['README.md', 'README.zh-CN.md'],
  ...readdirSync(join(root, 'docs/zh-CN')).map((name): [string, string] => [`docs/${name}`, `docs/zh-CN/${name}`]),
];

const isChapter = (page: string) => /\/\d\d-/.test(page);
const maxEnglishWords = 5_000;
const maxChineseCharacters = 9_000;

it('each chapter of the course has a Chinese version', () => {
  const chapters = readdirSync(join(root, 'docs')).filter((name) => /^\d\d-.+\.md$/.test(name));
  expect(chapters.filter((name) => !existsSync(join(root, 'docs/zh-CN', name)))).toEqual([]);
});

describe.each(twins)('%s and %s', (english, chinese) => {
  const [ours, theirs] = [headingsOf(textOf(english)), headingsOf(textOf(chinese))];

  it('have headings of the same levels, and the same anchors', () => {
    expect(theirs.map(({ level }) => level)).toEqual(ours.map(({ level }) => level));
    const anchors = [...withoutCode(textOf(chinese)).matchAll(/^<a id="([^"]+)"><\/a>\n\n#+ /gm)].map(([, id]) => id);
    const slugs = ours.filter(({ level }) => level > 1).map(({ text }) => slugOf(text));
    expect(anchors).toEqual(slugs);
  });

  it('show the same code and the same commands', () => {
    const shown = (page: string) => fencesOf(textOf(page)).filter(({ language }) => language !== 'mermaid');
    expect(shown(chinese).map(({ code }) => code)).toEqual(shown(english).map(({ code }) => code));
    const drawings = (page: string) => fencesOf(textOf(page)).filter(({ language }) => language === 'mermaid').length;
    expect(drawings(chinese)).toBe(drawings(english));
  });

  it('are short enough to be read at one sitting', () => {
    if (!isChapter(english)) return;
    const prose = withoutCode(textOf(english)).replace(/<!--.*?-->/g, '');
    expect(prose.match(/\S*\p{L}\S*/gu)!.length).toBeLessThanOrEqual(maxEnglishWords);
    expect(withoutCode(textOf(chinese)).match(/\p{Script=Han}/gu)!.length).toBeLessThanOrEqual(maxChineseCharacters);
  });
});
