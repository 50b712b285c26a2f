import { dirname, join, normalize } from 'node:path/posix';
import { anchorsOf } from '../docs/markdown';
import type { Gone } from './gone';
import type { Sources } from './prune-code';

/**
 * Removes from pages the rows and items that link only to removed files, the rows, items and sentences whose inline code
 * names something removed and nothing that stays, and the commands that no longer exist.
 * Elsewhere the words stay, without the link. A heading with nothing below it is removed, too.
 * @param original the whole project, whose links all lead somewhere
 * @param paths all files that are left
 */
export function prunePages(
  sources: Sources,
  original: ReadonlyMap<string, string>,
  paths: ReadonlySet<string>,
  gone: Gone,
): void {
  for (const [page, text] of sources) {
    if (page.endsWith('.md')) sources.set(page, withoutSections(text, gone.sections));
  }
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
  private readonly pathsBefore: ReadonlySet<string>;
  private readonly pathsNow: ReadonlySet<string>;

  constructor(
    private readonly sources: Sources,
    private readonly original: ReadonlyMap<string, string>,
    private readonly paths: ReadonlySet<string>,
    private readonly gone: Gone,
  ) {
    this.pathsBefore = withFolders(original.keys());
    this.pathsNow = withFolders(paths);
    const left = scriptsIn(sources.get('package.json'));
    const lost = scriptsIn(original.get('package.json')).filter((name) => !left.includes(name));
    this.scriptsGone = lost.map((name) => new RegExp(`\\bnpm run ${name}(?![\\w:-])`));
  }

  textLeft(page: string, text: string): string {
    const blocks = blocksOf(text);
    let isIntroOut = false;
    const left = blocks.flatMap((block, at) => {
      const isShown = isFence(block) || isLabel(block);
      const pieces = isShown && isIntroOut ? [] : this.piecesLeft(page, block, blocks[at + 1]);
      isIntroOut = (isLabel(block) && pieces.length === 0) || (isIntro(block) && !isIntro(pieces.at(-1) ?? ''));
      return pieces;
    });
    return left.filter((block, index) => !isEmptySection(block, left[index + 1], blocks)).join('\n\n');
  }

  /** @returns what is left of a paragraph, a list, a table or a block of code, as one text; nothing when all is out */
  private piecesLeft(page: string, block: string, next: string | undefined): string[] {
    if (isFence(block)) return this.runsGone(block) ? [] : [this.withoutBrokers(block)];
    const isTable = block.startsWith('|');
    const isList = /^(\s*[-*]|\d+\.) /.test(block);
    if (!isTable && !isList) return this.spoken(block, next).map((text) => this.unlinked(page, text));
    const pieces = block
      .split(isTable ? '\n' : /\n(?=\s*[-*] |\d+\. )/)
      .filter((piece) => !this.isOut(page, piece))
      .map((piece) => this.unlinked(page, this.withoutNames(piece)));
    return pieces.length > (isTable ? 2 : 0) ? [pieces.join('\n')] : [];
  }

  private isOut(page: string, piece: string): boolean {
    const links = [...piece.matchAll(link)];
    const leadsNowhere =
      links.length > 0 && links.every(([, symbol, , target]) => this.isBroken(page, target!, symbol));
    // A step of a sequence stays: the others count on it.
    return leadsNowhere || (/^\d+\. /.test(piece) ? this.runsGone(piece) : this.isAboutGone(piece));
  }

  /** The sentences of a paragraph that are left. None is when the first, which names the topic, is not. */
  private spoken(paragraph: string, next = ''): string[] {
    if (/^(#|<)/.test(paragraph)) return [paragraph];
    const runsNothing = (sentence: string) => isIntro(sentence) && isFence(next) && this.runsGone(next);
    const sentences = sentencesOf(paragraph).map((one) => this.withoutNames(one));
    const left = sentences.filter((one) => !this.isAboutGone(one) && !runsNothing(one));
    return left[0] === sentences[0] ? [left.join('')] : [];
  }

  private runsGone(text: string): boolean {
    return this.scriptsGone.some((script) => script.test(text));
  }

  private isAboutGone(text: string): boolean {
    if (this.runsGone(text)) return true;
    const code = wordsOfCode(text);
    const isGone = (word: string) =>
      this.gone.hasWord(word) || (this.pathsBefore.has(word) && !this.pathsNow.has(word));
    if ([...text.matchAll(/=([\w-]+)/g)].some(([, value]) => isGone(value!))) return true;
    const isKept = (word: string) => this.gone.isKept(word) || this.pathsNow.has(word);
    return code.some(isGone) && !code.some(isKept);
  }

  /** Takes the names of removed parts out of an enumeration, such as "`bullmq`, `rabbitmq` or `kafka`". */
  private withoutNames(piece: string): string {
    const isGone = (code: string) => this.gone.hasWord(code);
    return this.withoutBrokers(piece)
      .replace(/(?:, | or | and )`([^`]+)`/g, (whole, code: string) => (isGone(code) ? '' : whole))
      .replace(/`([^`]+)`(?:, | or | and )(?=`)/g, (whole, code: string) => (isGone(code) ? '' : whole));
  }

  /** "Redis, RabbitMQ and Kafka" becomes "Redis". */
  private withoutBrokers(text: string): string {
    return text
      .replace(
        /(?<=\b(?:BullMQ|Redis|PostgreSQL))(?:(?:, | and | or )\w+)+(?=[.:;)]|\s+(?:\||for|with|when)|$)/gm,
        (whole) => {
          const kept = whole.match(/(?:, | and | or )\w+/g)!.filter((one) => !this.isBroker(one.split(' ').at(-1)!));
          return kept.join('');
        },
      )
      .split('\n')
      .filter((line) => !this.gone.variables.has(/^export (\w+)=/.exec(line)?.[1] ?? ''))
      .join('\n');
  }

  private isBroker(word: string): boolean {
    return this.gone.brokers.has(word.toLowerCase());
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

const isFence = (block: string) => block.startsWith('```');
/** "**`path`**" above the text of a file. */
const isLabel = (block: string) => /^\*\*`[^`]+`\*\*$/.test(block);
/** A sentence that leads to what comes below. */
const isIntro = (text: string) => text.endsWith(':') && !isFence(text);

/** Each with the white space before it. */
const sentencesOf = (paragraph: string) => paragraph.split(/(?<=[.!?]\)?)(?=\s+[A-Z`"[*(])/);

const withFolders = (paths: Iterable<string>): ReadonlySet<string> =>
  new Set([...paths].flatMap((path) => path.split('/').map((_, at, names) => names.slice(0, at + 1).join('/'))));

const wordsOfCode = (piece: string) =>
  [...piece.matchAll(/`([^`]+)`/g)].flatMap(([, inner]) =>
    inner!.split(/[^\w/.-]+/).map((word) => word.replace(/(?<=\w)\/$/, '')),
  );

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
