import { cpSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** The address in the site of a page of the repository, without its extension. */
export function addressOf(page: string): string {
  if (page === 'README.md') return '/';
  if (page === 'README.zh-CN.md') return '/zh-CN/';
  return `/${page.replace(/^docs\//, '').replace(/(README)?\.md$/, '')}`;
}

const isPage = (path: string) => /^(docs\/.*|examples\/README|README(\.zh-CN)?)\.md$/.test(path);

/** What the pages link to beside pages, from the root of the repository. */
const linked = new Set<string>();

/**
 * Pages link to each other and to sources by relative paths, which work wherever the repository is read. In the site, a
 * source is a text file below `/source/`.
 * @param page from the root of the repository
 */
export function linkInSite(page: string, href: string): string {
  if (/^(#|[a-z]+:)/.test(href)) return href;
  const [path, anchor] = href.split('#') as [string, string?];
  const target = posix.join(posix.dirname(page), path).replace(/\/$/, '');
  if (isPage(target)) return addressOf(target) + (anchor === undefined ? '' : `#${anchor}`);
  linked.add(target);
  return `/source/${target}.txt`;
}

/** Copies the linked sources into the site. Of a folder it writes the list of its files. */
export function copySources(site: string): void {
  for (const path of linked) {
    const from = join(repository, path);
    const to = join(site, 'source', `${path}.txt`);
    mkdirSync(dirname(to), { recursive: true });
    if (statSync(from).isFile()) cpSync(from, to);
    else
      writeFileSync(
        to,
        readdirSync(from)
          .map((name) => `${path}/${name}\n`)
          .join(''),
      );
  }
}
