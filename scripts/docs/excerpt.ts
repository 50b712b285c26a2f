import ts from 'typescript';
import { readHeader } from '../examples/example';

/**
 * Cuts a part out of a source file, without its indentation.
 *
 * A selector is a declared name (`main`, `ClaimBatcher.claim`), or, in backticks, the beginning of a statement, at any
 * depth. `A .. B` reaches from one to another of the same block. `output` is what an example prints. In files that are
 * not TypeScript or JavaScript a selector is the beginning of a line.
 * @param file the path, which decides how the text is read
 * @param selector undefined: the whole file
 * @throws Error if the selector selects nothing
 */
export function excerptOf(file: string, text: string, selector?: string): string {
  if (selector === undefined) return text.trimEnd();
  if (selector === 'output') return outputOf(file, text);
  const [from, to] = selector.split(' .. ') as [string, string?];
  return /\.[cm]?[jt]sx?$/.test(file) ? codeBetween(file, text, from, to) : linesBetween(file, text, from, to);
}

/** The command of an example, and the lines that its header promises and its test checks. */
function outputOf(file: string, text: string): string {
  const name = file.replace(/^examples\//, '').replace(/\.ts$/, '');
  return [`$ scripts/run-examples.sh ${name}`, ...readHeader(file, text).expect].join('\n');
}

function codeBetween(file: string, text: string, from: string, to?: string): string {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const first = find(source, from) ?? missing(file, from);
  const last = to === undefined ? first : (findAfter(first, to) ?? missing(file, to));
  return withoutIndentation(text.slice(startOf(source, first), endOf(source, last)));
}

function missing(file: string, selector: string): never {
  throw new Error(`${file} has nothing that the selector ${selector} names.`);
}

const beginningOf = (selector: string) => /^`(.+)`$/.exec(selector)?.[1];

function find(source: ts.SourceFile, selector: string): ts.Node | undefined {
  const beginning = beginningOf(selector);
  if (beginning !== undefined) return firstOf(source, (node) => beginsWith(source, node, beginning));
  return selector
    .split('.')
    .reduce<ts.Node | undefined>((scope, name) => scope && firstOf(scope, (node) => declares(node, name)), source);
}

/** A later statement of the block in which `first` stands. */
function findAfter(first: ts.Node, selector: string): ts.Node | undefined {
  const beginning = beginningOf(selector);
  const source = first.getSourceFile();
  let found: ts.Node | undefined;
  first.parent.forEachChild((node) => {
    if (found || node.pos < first.pos) return;
    if (beginning === undefined ? declares(node, selector) : beginsWith(source, node, beginning)) found = node;
  });
  return found;
}

function firstOf(scope: ts.Node, matches: (node: ts.Node) => boolean): ts.Node | undefined {
  return ts.forEachChild(scope, (node) => (matches(node) ? node : firstOf(node, matches)));
}

const isPart = (node: ts.Node) =>
  ts.isStatement(node) || ts.isClassElement(node) || ts.isTypeElement(node) || ts.isObjectLiteralElement(node);

function beginsWith(source: ts.SourceFile, node: ts.Node, beginning: string): boolean {
  return isPart(node) && source.text.startsWith(beginning, node.getStart(source));
}

function declares(node: ts.Node, name: string): boolean {
  if (ts.isVariableStatement(node)) return node.declarationList.declarations.some((one) => declares(one, name));
  if (!isPart(node) && !ts.isVariableDeclaration(node)) return false;
  const declared = (node as ts.NamedDeclaration).name;
  return declared !== undefined && ts.isIdentifier(declared) && declared.text === name;
}

/** Where the line of a node begins; comments directly before it belong to it. */
function startOf(source: ts.SourceFile, node: ts.Node): number {
  let start = node.getStart(source);
  const comments = ts.getLeadingCommentRanges(source.text, node.getFullStart()) ?? [];
  for (const { pos, end } of comments.toReversed()) {
    if (/\n\s*\n/.test(source.text.slice(end, start))) break;
    start = pos;
  }
  const line = source.text.lastIndexOf('\n', start) + 1;
  return source.text.slice(line, start).trim() === '' ? line : start;
}

/** The end of a node; a comma or a comment on the rest of its line belong to it. */
function endOf(source: ts.SourceFile, node: ts.Node): number {
  const rest = /^[,;]?[ \t]*(\/\/[^\n]*)?(?=\n|$)/.exec(source.text.slice(node.end));
  return node.end + (rest?.[0].length ?? 0);
}

function linesBetween(file: string, text: string, from: string, to?: string): string {
  const lines = text.split('\n');
  const indexOf = (selector: string, after: number) => {
    const beginning = beginningOf(selector) ?? selector;
    const index = lines.findIndex((line, at) => at >= after && line.trimStart().startsWith(beginning));
    return index === -1 ? missing(file, selector) : index;
  };
  const first = indexOf(from, 0);
  return withoutIndentation(lines.slice(first, (to === undefined ? first : indexOf(to, first)) + 1).join('\n'));
}

function withoutIndentation(text: string): string {
  const lines = text.split('\n').map((line) => line.trimEnd());
  const depths = lines.flatMap((line) => (line === '' ? [] : [line.length - line.trimStart().length]));
  const depth = Math.min(...depths);
  return lines.map((line) => line.slice(depth)).join('\n');
}
