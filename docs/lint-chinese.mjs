// Checks the typography of the Chinese pages with zhlint, with the rules that do not misread Markdown: a space between
// Chinese and Latin letters, full-width punctuation in Chinese sentences, simplified forms.
import { readdirSync, readFileSync } from 'node:fs';
import { URL } from 'node:url';
import { run } from 'zhlint';

const rules = {
  spaceBetweenMixedwidthLetters: true,
  noSpaceBetweenFullwidthLetters: true,
  fullwidthPunctuation: '，：；？！',
  unifiedPunctuation: 'simplified',
  spaceOutsideCode: true,
  trimSpace: false,
};

const folder = new URL('./zh-CN/', import.meta.url);
const pages = [
  new URL('../README.zh-CN.md', import.meta.url),
  ...readdirSync(folder).map((name) => new URL(name, folder)),
];

for (const page of pages) {
  const text = readFileSync(page, 'utf8');
  for (const { message, index } of run(text, { rules }).validations) {
    const line = text.slice(0, index).split('\n').length;
    const around = text.slice(Math.max(0, index - 15), index + 15).replaceAll('\n', ' ');
    process.stderr.write(`${page.pathname}:${line}: ${message}: ${around}\n`);
    process.exitCode = 1;
  }
}
