import { FilePruning } from './file-pruning';
import type { Gone } from './gone';
import { Modules } from './modules';
import { isCode, parse, specifiersIn, statementsOf } from './syntax';
import { testsIn } from './tests-in-code';
import { UnusedExports } from './unused-exports';

/** The files of a project by path. Pruning replaces and deletes entries. */
export type Sources = Map<string, string>;

/**
 * Removes from TypeScript and JavaScript what refers to a removed part: an import, an element of a list, an entry of an
 * object, a member of a type, a test, a statement, and then all that refers to these. Changes nothing when no part was
 * removed. Also removes what only the removed code used, so that no import, no function and no export is left without a
 * use.
 * @param sources what is left of the project
 * @param original the whole project
 */
export function pruneCode(
  sources: Sources,
  original: ReadonlyMap<string, string>,
  gone: Gone,
  aliases: ReadonlyMap<string, string>,
): void {
  const modules = new Modules(sources, aliases, gone);
  let changed: boolean;
  do {
    changed = false;
    for (const [path, text] of [...sources].filter(([name]) => isCode(name))) {
      const file = new FilePruning(parse(path, text), modules, gone);
      if (!file.prune()) continue;
      changed = true;
      store(path, file.textLeft());
    }
    if (changed) continue;
    const unused = new UnusedExports(sources, original);
    for (const [path, text] of [...sources].filter(([name]) => isCode(name))) {
      const file = new FilePruning(parse(path, text), modules, gone);
      // The helpers for tests are there for the tests to come.
      if (path.startsWith('libs/testing/') || !file.pruneUnused(parse(path, original.get(path)!), unused.namesOf(path)))
        continue;
      changed = true;
      store(path, file.textLeft());
    }
    changed = dropUnimported(sources, original, aliases, gone) || changed;
  } while (changed);

  function store(path: string, text: string): void {
    modules.forget();
    const before = parse(path, original.get(path)!);
    const after = parse(path, text);
    const emptied = statementsOf(after).length === 0 || (testsIn(before) > 0 && testsIn(after) === 0);
    if (!emptied) return void sources.set(path, text);
    sources.delete(path);
    gone.addFile(path);
  }
}

/** Removes each module whose importers have all been removed. */
function dropUnimported(
  sources: Sources,
  original: ReadonlyMap<string, string>,
  aliases: ReadonlyMap<string, string>,
  gone: Gone,
): boolean {
  const importedIn = (files: ReadonlyMap<string, string>) => {
    const modules = new Modules(files, aliases, gone);
    const found = [...files].filter(([path]) => /\.([mc]?js|[mc]?tsx?)$/.test(path));
    return new Set(found.flatMap(([path, text]) => specifiersIn(text).map((one) => modules.fileOf(path, one))));
  };
  const now = importedIn(sources);
  const unimported = [...importedIn(original)].filter(
    (path) => path && sources.has(path) && !now.has(path) && isCode(path),
  );
  for (const path of unimported) {
    sources.delete(path!);
    gone.addFile(path!);
  }
  return unimported.length > 0;
}
