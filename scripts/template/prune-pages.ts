import { dirname, join, normalize } from 'node:path/posix';
import { anchorsOf } from '../docs/markdown';
import type { Gone } from './gone';
import type { Sources } from './prune-code';

/**
 * Removes the rows and items of pages that link only to removed files, or whose inline code names something removed and
 * nothing that stays.
 * Elsewhere the words stay, without the link. A heading with nothing below it is removed, too.
 * @param original the whole project, whose links all lead somewhere
 * @param paths all files that are left
 */
export function prunePages(
  sources: Sources,
  original: ReadonlyMap<string, string>,
  paths: ReadonlySet<string>,
  gone: Pick<Gone, 'sections' | 'hasWord' | 'isKept'>,
): void {
  const readme = sources.get('README.md');
  if (readme !== undefined) sources.set('README.md', withoutSections(readme, gone.sections));
  const pruning = new PagePruning(sources, original, paths, gone);
  for (let changed = true; changed;) {
    changed = false;
    for (const [page, text] of [...sources].filter(([name]) => name.endsWith('.md'))) {
      const left = pruning.textLeft(page, text);
      if (left === text) continue;
      changed = true;
      sources.set(page, left);
    }
  }
}

/** "`symbol` in [label](path#anchor)", with or without the symbol. */
const link = /(?:`([\w.]+)`\s+in\s+)?\[([^\]]*)\]\((?!https?:|mailto:)([^)\s]+)\)/g;

/** " ([label](path), [label](path))": it says nothing without its links. */
const asideOfLinks = /\s+\(((?:\[[^\]]*\]\([^)\s]+\)(?:,\s+|\s+and\s+)?)+)\)/g;

/** A section ends at the next heading of its level. */
const withoutSections = (page: string, headings: ReadonlySet<string>) =>
  page
    .split(/^(?=## )/m)
    .filter((section) => !headings.has(/^## (.+)$/m.exec(section)?.[1] ?? ''))
    .join('');

class PagePruning {
  private readonly scriptsGone: readonly RegExp[];

  constructor(
    private readonly sources: Sources,
    private readonly original: ReadonlyMap<string, string>,
    private readonly paths: ReadonlySet<string>,
    private readonly gone: Pick<Gone, 'hasWord' | 'isKept'>,
  ) {
    const left = scriptsIn(sources.get('package.json'));
    const lost = scriptsIn(original.get('package.json')).filter((name) => !left.includes(name));
    this.scriptsGone = lost.map((name) => new RegExp(`\`(PORT=\\d+ )?npm run ${name}( [^\`]*)?\``));
  }

  textLeft(page: string, text: string): string {
    const prune = (pieces: string[]) =>
      pieces.filter((piece) => !this.isOut(page, piece)).map((piece) => this.unlinked(page, this.withoutNames(piece)));
    const blocks = blocksOf(text);
    const left = blocks.flatMap((block) => {
      if (block.startsWith('```')) return [block];
      const isTable = block.startsWith('|');
      const isList = /^(\s*[-*]|\d+\.) /.test(block);
      if (!isTable && !isList) return [this.unlinked(page, block)];
      const pieces = prune(block.split(isTable ? '\n' : /\n(?=\s*[-*] |\d+\. )/));
      return pieces.length > (isTable ? 2 : 0) ? [pieces.join('\n')] : [];
    });
    return left.filter((block, index) => !isEmptySection(block, left[index + 1], blocks)).join('\n\n');
  }

  private isOut(page: string, piece: string): boolean {
    const links = [...piece.matchAll(link)];
    const leadsNowhere =
      links.length > 0 && links.every(([, symbol, , target]) => this.isBroken(page, target!, symbol));
    const code = wordsOfCode(piece);
    // A step of a sequence stays: the others count on it.
    const isAbout = !/^\d+\. /.test(piece) && code.some((word) => this.gone.hasWord(word));
    return (
      leadsNowhere ||
      (isAbout && !code.some((word) => this.gone.isKept(word))) ||
      this.scriptsGone.some((script) => script.test(piece))
    );
  }

  /** Takes the names of removed parts out of an enumeration, such as "`bullmq`, `rabbitmq` or `kafka`". */
  private withoutNames(piece: string): string {
    const isGone = (code: string) => this.gone.hasWord(code);
    return piece
      .replace(/(?:, | or | and )`([^`]+)`/g, (whole, code: string) => (isGone(code) ? '' : whole))
      .replace(/`([^`]+)`(?:, | or | and )/g, (whole, code: string) => (isGone(code) ? '' : whole));
  }

  private unlinked(page: string, block: string): string {
    const isAside = (links: string) =>
      [...links.matchAll(link)].every(([, , , target]) => this.isBroken(page, target!));
    const spoken = block.replace(asideOfLinks, (whole, links: string) => (isAside(links) ? '' : whole));
    return spoken.replace(link, (whole: string, symbol: string | undefined, label: string, target: string) => {
      if (!this.isBroken(page, target, symbol)) return whole;
      if (this.isBroken(page, target)) return symbol === undefined ? label : `\`${symbol}\` in ${label}`;
      return whole.replace(/^`([^`]+)`/, '$1');
    });
  }

  /** Whether the file, the heading or the symbol existed and was removed. */
  private isBroken(page: string, target: string, symbol?: string): boolean {
    const [link, anchor] = target.split('#') as [string, string?];
    const path = link === '' ? page : normalize(join(dirname(page), link)).replace(/\/$/, '');
    const isThere = (among: Iterable<string>) => [...among].some((one) => one === path || one.startsWith(`${path}/`));
    if (!isThere(this.paths)) return isThere(this.original.keys());
    const [text, before] = [this.sources.get(path) ?? '', this.original.get(path) ?? ''];
    if (text === before) return false;
    if (anchor !== undefined) return anchorsOf(before).includes(anchor) && !anchorsOf(text).includes(anchor);
    const names = (one: string) => symbol === undefined || symbol.split('.').every((part) => hasWord(one, part));
    return names(before) && !names(text);
  }
}

const wordsOfCode = (piece: string) =>
  [...piece.matchAll(/`([^`]+)`/g)].flatMap(([, inner]) => inner!.split(/[^\w/.-]+/));

const hasWord = (text: string, word: string) => new RegExp(`\\b${word}\\b`).test(text);

const scriptsIn = (text = '{}') => Object.keys((JSON.parse(text) as { scripts?: object }).scripts ?? {});

function isEmptySection(block: string, next: string | undefined, before: readonly string[]): boolean {
  const level = (text: string | undefined) => /^(#+) /.exec(text ?? '')?.[1]!.length;
  const own = level(block);
  if (own === undefined || own === 1) return false;
  const isEmpty = (following: string | undefined) => following === undefined || (level(following) ?? 7) <= own;
  return isEmpty(next) && !isEmpty(before[before.indexOf(block) + 1]);
}

/** The parts of a page between empty lines; a fenced block is one part. */
function blocksOf(text: string): string[] {
  const blocks: string[] = [];
  let isFenced = false;
  for (const piece of text.split('\n\n')) {
    if (isFenced) blocks.push(`${blocks.pop()}\n\n${piece}`);
    else blocks.push(piece);
    const fences = piece.match(/^\s*```/gm)?.length ?? 0;
    if (fences % 2 === 1) isFenced = !isFenced;
  }
  return blocks;
}
