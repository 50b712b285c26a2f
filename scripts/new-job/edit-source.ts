import { SchematicsException } from '@angular-devkit/schematics';

/** Adds an import where the order of the modules puts it: packages and libraries first, then the files beside it. */
export function addImport(source: string, names: string, from: string): string {
  const statement = `import { ${names} } from '${from}';\n`;
  const imports = [...source.matchAll(/^import\b[^;]*?'([^']+)';\n/gm)].filter(([, module]) =>
    module!.startsWith(from.charAt(0)),
  );
  const next = imports.find(([, module]) => module! > from);
  if (next) return insert(source, next.index, statement);
  const last = imports.at(-1) ?? [...source.matchAll(/^import\b[^;]*?;\n/gm)].at(-1);
  return insert(source, last ? last.index + last[0].length : 0, statement);
}

/**
 * Adds an item to the end of the list that `opening` opens.
 * @param opening ends with the bracket, such as `jobs: [`
 */
export function addItem(source: string, opening: string, item: string): string {
  const start = afterOpening(source, opening);
  let depth = 1;
  let end = start;
  for (; depth > 0 && end < source.length; end += 1) {
    if ('[{('.includes(source[end]!)) depth += 1;
    if (']})'.includes(source[end]!)) depth -= 1;
  }
  const items = source.slice(start, end - 1).trimEnd();
  const comma = items === '' || items.endsWith(',') ? '' : ', ';
  return `${source.slice(0, start)}${items}${comma}${item}${source.slice(end - 1)}`;
}

/** Adds an entry to the beginning of the object that `opening` opens. */
export function addEntry(source: string, opening: string, entry: string): string {
  return insert(source, afterOpening(source, opening), `\n${entry},`);
}

function afterOpening(source: string, opening: string): number {
  const at = source.indexOf(opening);
  if (at < 0) throw new SchematicsException(`Expected a list that begins with \`${opening}\`, found none.`);
  return at + opening.length;
}

export function insert(source: string, at: number, text: string): string {
  return source.slice(0, at) + text + source.slice(at);
}
