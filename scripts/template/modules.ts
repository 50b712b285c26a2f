import { dirname, join, normalize } from 'node:path/posix';
import ts from 'typescript';
import type { Gone } from './gone';
import { declaredBy, isCode, isExported, parse } from './syntax';

const anyName = '*';

/** Which names the modules of the project export. */
export class Modules {
  private exported = new Map<string, Set<string>>();

  constructor(
    private readonly sources: ReadonlyMap<string, string>,
    private readonly aliases: ReadonlyMap<string, string>,
    private readonly gone: Gone,
  ) {}

  forget(): void {
    this.exported = new Map();
  }

  /** @returns the file that a specifier means; undefined for a package or what the build generates */
  fileOf(from: string, specifier: string): string | undefined {
    const target = this.targetOf(from, specifier);
    if (target === undefined) return undefined;
    const bare = target.replace(/\.[mc]?js$/, '');
    return [target, `${bare}.ts`, `${bare}.mts`, `${bare}/index.ts`].find((path) => this.sources.has(path));
  }

  isGone(from: string, specifier: string): boolean {
    const target = this.targetOf(from, specifier);
    if (target === undefined) return this.gone.hasPackage(specifier);
    if (this.fileOf(from, specifier) !== undefined) return false;
    return [target, `${target}.ts`, `${target}/index.ts`].some((path) => this.gone.hasPath(path));
  }

  /** @returns whether the file, which has been parsed, no longer exports the name */
  lacks(path: string, name: string): boolean {
    if (!isCode(path) || path.endsWith('.cjs')) return false;
    const names = this.exportsOf(path);
    return !names.has(name) && !names.has(anyName);
  }

  private targetOf(from: string, specifier: string): string | undefined {
    if (specifier.startsWith('.')) return normalize(join(dirname(from), specifier));
    for (const [alias, target] of this.aliases) {
      if (specifier === alias) return target;
      if (alias.endsWith('/*') && specifier.startsWith(alias.slice(0, -1)))
        return target.replace('*', specifier.slice(alias.length - 1));
    }
    return undefined;
  }

  private exportsOf(path: string): ReadonlySet<string> {
    const known = this.exported.get(path);
    if (known) return known;
    const names = new Set<string>();
    this.exported.set(path, names);
    for (const statement of parse(path, this.sources.get(path)!).statements) {
      if (ts.isExportDeclaration(statement)) {
        if (statement.exportClause && ts.isNamedExports(statement.exportClause)) {
          for (const { name } of statement.exportClause.elements) names.add(name.text);
        } else if (statement.exportClause) {
          names.add(statement.exportClause.name.text);
        } else {
          const from = this.fileOf(path, (statement.moduleSpecifier as ts.StringLiteral).text);
          // Only the build knows what a generated module exports.
          for (const name of from === undefined ? [anyName] : this.exportsOf(from)) names.add(name);
        }
      } else if (ts.isExportAssignment(statement)) names.add('default');
      else if (isExported(statement)) for (const name of declaredBy(statement)) names.add(name.text);
    }
    return names;
  }
}
