import ts from 'typescript';
import type { Gone } from './gone';
import type { Modules } from './modules';
import {
  declaredBy,
  functionAround,
  isExported,
  isKey,
  isListed,
  isOfTable,
  isInRow,
  isTypedAsList,
  isUse,
  namesIn,
  scopeOf,
  statementAround,
  usesIn,
} from './syntax';
import { hasTests, testCall } from './tests-in-code';

/** Such as `group` or `afterAll`. */
const kindOf = (call: ts.CallExpression): string => testCall(call) ?? call.expression.getText();

/** One round over one file. */
export class FilePruning {
  private readonly removed = new Set<ts.Node>();
  private readonly replaced = new Map<ts.Node, string>();

  constructor(
    private readonly file: ts.SourceFile,
    private readonly modules: Modules,
    private readonly gone: Gone,
  ) {}

  /** @returns whether there is anything to take out */
  prune(): boolean {
    for (const statement of this.file.statements) {
      if (ts.isImportDeclaration(statement)) this.pruneImport(statement);
      else if (ts.isExportDeclaration(statement) && statement.moduleSpecifier) this.pruneExport(statement);
    }
    this.visit(this.file);
    return this.removed.size > 0 || this.replaced.size > 0;
  }

  /**
   * Removes what has lost its last use.
   * @param before the file as it was
   * @param exports names that no other file uses any more
   */
  pruneUnused(before: ts.SourceFile, exports: ReadonlySet<string>): boolean {
    const usesNow = usesIn(this.file);
    const usesBefore = usesIn(before);
    const isUnused = (name: ts.Identifier) => !usesNow.has(name.text) && usesBefore.has(name.text);
    const visit = (node: ts.Node): void => {
      if (ts.isImportDeclaration(node)) {
        this.pruneUnusedImport(node, isUnused);
        return;
      }
      if (ts.isBindingElement(node) && ts.isIdentifier(node.name) && isUnused(node.name)) {
        const hasRest = node.parent.elements.some(
          (element) => !ts.isOmittedExpression(element) && element.dotDotDotToken,
        );
        if (!hasRest) this.removeAround(node);
      } else if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && isUnused(node.name)) {
        if (!isExported(node.parent.parent)) this.removeDeclaration(node);
      } else if (ts.isStatement(node) && ts.isSourceFile(node.parent)) {
        const names = declaredBy(node);
        const isOut = (name: ts.Identifier) =>
          isExported(node) ? exports.has(name.text) && !usesNow.has(name.text) : isUnused(name);
        if (names.length > 0 && names.every(isOut)) {
          this.removeStatement(node);
          return;
        }
      }
      ts.forEachChild(node, visit);
    };
    ts.forEachChild(this.file, visit);
    return this.removed.size > 0;
  }

  private pruneUnusedImport(node: ts.ImportDeclaration, isUnused: (name: ts.Identifier) => boolean): void {
    const { importClause: clause } = node;
    if (!clause) return;
    const bindings = clause.namedBindings;
    const elements = bindings && ts.isNamedImports(bindings) ? [...bindings.elements] : [];
    const names = [clause.name, bindings && ts.isNamespaceImport(bindings) ? bindings.name : undefined].filter(
      (n) => !!n,
    );
    const unused = elements.filter(({ name }) => isUnused(name));
    if (unused.length === elements.length && names.every(isUnused)) this.removed.add(node);
    else for (const one of unused) this.removed.add(one);
  }

  textLeft(): string {
    const { text } = this.file;
    const cuts = [...this.removed].filter(({ parent }) => !this.replaced.has(parent)).map((node) => this.rangeOf(node));
    const edits = [
      ...cuts.map(([start, end]) => ({ start, end, by: '' })),
      ...[...this.replaced].map(([node, by]) => ({ start: node.getStart(), end: node.getEnd(), by })),
    ].sort((a, b) => a.start - b.start || b.end - a.end);
    let left = '';
    let at = 0;
    for (const { start, end, by } of edits) {
      if (end <= at) continue;
      left += text.slice(at, Math.max(start, at)) + by;
      at = end;
    }
    return left + text.slice(at);
  }

  private pruneImport(statement: ts.ImportDeclaration): void {
    const specifier = (statement.moduleSpecifier as ts.StringLiteral).text;
    const { importClause: clause } = statement;
    const bindings = clause?.namedBindings;
    if (this.modules.isGone(this.file.fileName, specifier)) {
      this.removed.add(statement);
      const names =
        bindings && (ts.isNamespaceImport(bindings) ? [bindings.name] : bindings.elements.map((e) => e.name));
      for (const name of [clause?.name, ...(names ?? [])]) if (name) this.removeUses(name.text, this.file);
      return;
    }
    const target = this.modules.fileOf(this.file.fileName, specifier);
    if (target === undefined || !bindings || !ts.isNamedImports(bindings)) return;
    const lost = bindings.elements.filter(({ name, propertyName }) =>
      this.modules.lacks(target, (propertyName ?? name).text),
    );
    if (lost.length === 0) return;
    for (const one of lost.length === bindings.elements.length && !clause.name ? [statement] : lost) {
      this.removed.add(one);
    }
    for (const { name } of lost) this.removeUses(name.text, this.file);
  }

  private pruneExport(statement: ts.ExportDeclaration): void {
    const specifier = (statement.moduleSpecifier as ts.StringLiteral).text;
    const target = this.modules.fileOf(this.file.fileName, specifier);
    const { exportClause: clause } = statement;
    if (this.modules.isGone(this.file.fileName, specifier)) this.removed.add(statement);
    else if (target !== undefined && clause && ts.isNamedExports(clause)) {
      const lost = clause.elements.filter(({ name, propertyName }) =>
        this.modules.lacks(target, (propertyName ?? name).text),
      );
      for (const one of lost.length === clause.elements.length ? [statement] : lost) this.removed.add(one);
    }
  }

  private visit(node: ts.Node): void {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || this.isRemoved(node)) return;
    if (this.refersToGone(node)) this.removeAround(node);
    ts.forEachChild(node, (child) => this.visit(child));
  }

  private refersToGone(node: ts.Node): boolean {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      const { parent } = node;
      // A title in words is no name.
      if (ts.isCallExpression(parent) && testCall(parent) !== undefined && parent.arguments[0] === node) return false;
      if (ts.isCallExpression(parent) && parent.expression.kind === ts.SyntaxKind.ImportKeyword) {
        return this.modules.isGone(this.file.fileName, node.text);
      }
      // "/" names the root page only as an element of a list of routes. Elsewhere "/" is a separator.
      if (node.text === '/') return ts.isArrayLiteralExpression(parent) && this.gone.hasWord('/');
      return this.hasText(node.text);
    }
    if (!ts.isIdentifier(node)) return false;
    if (this.gone.variables.has(node.text)) return true;
    // The key of an entry: `kafka: …`.
    return isKey(node) && this.hasKey(node.text);
  }

  /** Removes the smallest part of the file that can be left out and has the node in it. */
  private removeAround(node: ts.Node): void {
    const { parent } = node;
    if (this.isRemoved(node) || ts.isSourceFile(node) || ts.isImportSpecifier(node)) return;
    if (this.isTested(node)) this.removeStatement(statementAround(node));
    else if (ts.isArrayLiteralExpression(parent) && !isInRow(node, parent)) this.removeElement(node, parent);
    else if (ts.isUnionTypeNode(parent)) this.removeMember(node, parent);
    else if (ts.isLiteralTypeNode(node) && ts.isTypeReferenceNode(parent)) this.replaced.set(node, 'never');
    else if (ts.isObjectLiteralExpression(parent) && this.isOptional(node as ts.ObjectLiteralElementLike)) {
      this.removed.add(node);
    } else if (ts.isTypeElement(node) || ts.isCaseClause(node)) this.removed.add(node);
    else if (ts.isBindingElement(node) && ts.isObjectBindingPattern(parent)) this.removeBinding(node);
    else if (ts.isVariableDeclaration(node)) this.removeDeclaration(node);
    else if (isListed(node)) this.removeStatement(node);
    else this.removeAround(parent);
  }

  /** A setting, a path or an entry of an object in a spec: without it, a test would prove something else. */
  private isTested(node: ts.Node): boolean {
    if (!this.file.fileName.endsWith('.spec.ts')) return false;
    if (ts.isSpreadAssignment(node) || ts.isShorthandPropertyAssignment(node)) return !isOfTable(node);
    if (ts.isIdentifier(node)) return (this.gone.variables.has(node.text) || isKey(node)) && this.hasKey(node.text);
    if (!ts.isStringLiteralLike(node) || functionAround(node) === undefined) return false;
    return this.gone.variables.has(node.text) || this.gone.hasPath(node.text);
  }

  /** The core has kinds of jobs and routes of use cases only as examples. Tests send them. */
  private hasText(text: string): boolean {
    return /^test\/|^apps\/.*\.spec\.ts$/.test(this.file.fileName)
      ? this.gone.hasTested(text)
      : this.gone.hasName(text);
  }

  /** As {@link hasText}, but a key with the name of a folder is no path. */
  private hasKey(text: string): boolean {
    return (text.includes('/') || !this.gone.hasPath(text)) && this.hasText(text);
  }

  private isOptional(entry: ts.ObjectLiteralElementLike): boolean {
    if (ts.isShorthandPropertyAssignment(entry) || ts.isSpreadAssignment(entry)) return true;
    return !ts.isComputedPropertyName(entry.name) && this.hasKey((entry.name as ts.Identifier).text);
  }

  private removeElement(node: ts.Node, list: ts.ArrayLiteralExpression): void {
    this.removed.add(node);
    if (!list.elements.every((element) => this.removed.has(element))) return;
    // An empty list of tests is a fault, and so is an entry of which nothing is left.
    const holder = list.parent;
    if (ts.isForOfStatement(holder)) {
      this.removeStatement(holder);
      return;
    }
    const isOfTests = ts.isCallExpression(holder) && /\beach$/.test(holder.expression.getText());
    if (isOfTests || (ts.isPropertyAssignment(holder) && !isTypedAsList(holder))) this.removeAround(list);
  }

  private removeMember(node: ts.Node, union: ts.UnionTypeNode): void {
    this.removed.add(node);
    if (!union.types.every((type) => this.removed.has(type))) return;
    this.replaced.set(union, 'never');
  }

  private removeBinding(node: ts.BindingElement): void {
    const pattern = node.parent;
    this.removed.add(node);
    if (ts.isIdentifier(node.name)) this.removeUses(node.name.text, scopeOf(node));
    const isEmpty = pattern.elements.every((element) => this.removed.has(element));
    if (isEmpty && ts.isVariableDeclaration(pattern.parent)) this.removeDeclaration(pattern.parent);
    else if (isEmpty && ts.isParameter(pattern.parent)) this.removeAround(pattern.parent);
  }

  private removeDeclaration(node: ts.VariableDeclaration): void {
    const list = node.parent;
    if (!ts.isVariableDeclarationList(list) || !ts.isVariableStatement(list.parent)) {
      this.removeAround(list);
      return;
    }
    if (list.declarations.length === 1) {
      this.removeStatement(list.parent);
      return;
    }
    this.removed.add(node);
    for (const name of namesIn(node.name)) this.removeUses(name.text, scopeOf(list.parent));
  }

  private removeMemberUses(holder: ts.Node, name: string): void {
    const uses = (inner: ts.Node): void => {
      if (this.removed.has(inner)) return;
      if (ts.isPropertyAccessExpression(inner) && inner.name.text === name && inner.expression.getText() === 'this') {
        this.removeAround(inner);
      }
      ts.forEachChild(inner, uses);
    };
    uses(holder);
  }

  private removeStatement(node: ts.Node): void {
    // Half a test proves something else, and half a function does something else.
    const body = functionAround(node);
    const call = body && ts.isCallExpression(body.parent) ? body.parent : undefined;
    if (call && testCall(call) === 'test') {
      this.removeAround(call);
      return;
    }
    if (call && /^before(All|Each)$/.test(call.expression.getText())) {
      const group = functionAround(call)?.parent;
      if (group && ts.isCallExpression(group)) this.removeAround(group);
      else this.removeAll();
      return;
    }
    const isHelper = this.file.fileName.endsWith('.spec.ts') && !(call && /group|after/.test(kindOf(call)));
    if (body && (isHelper || ts.isReturnStatement(node) || ts.isThrowStatement(node))) {
      this.removeAround(body);
      return;
    }
    this.removed.add(node);
    if (ts.isClassElement(node) && node.name && ts.isIdentifier(node.name)) {
      this.removeMemberUses(node.parent, node.name.text);
    }
    for (const name of declaredBy(node)) this.removeUses(name.text, scopeOf(node));
    if (call && testCall(call) === 'group' && !hasTests(call, this.removed)) this.removeAround(call);
    const block = node.parent;
    if (!ts.isBlock(block) || !block.statements.every((one) => this.removed.has(one))) return;
    // Nothing is left of what it did.
    if (block.parent === body && !ts.isConstructorDeclaration(body)) this.removeAround(body);
    else if (ts.isIterationStatement(block.parent, false)) this.removeStatement(block.parent);
  }

  /** A spec without its set-up. */
  private removeAll(): void {
    for (const statement of this.file.statements) this.removed.add(statement);
  }

  private removeUses(name: string, scope: ts.Node): void {
    const uses = (node: ts.Node): void => {
      if (ts.isImportDeclaration(node) || this.isRemoved(node)) return;
      if (ts.isIdentifier(node) && node.text === name && isUse(node)) this.removeAround(node);
      ts.forEachChild(node, uses);
    };
    uses(scope);
  }

  private isRemoved(node: ts.Node): boolean {
    for (let at = node; !ts.isSourceFile(at); at = at.parent) if (this.removed.has(at)) return true;
    return false;
  }

  /** With its comments, and with the comma of an element. */
  private rangeOf(node: ts.Node): [start: number, end: number] {
    const { text } = this.file;
    const isFirst = node.parent === this.file && this.file.statements[0] === node;
    const comma = /^\s*,/.exec(text.slice(node.getEnd()))?.[0].length ?? 0;
    const isElement = !ts.isStatement(node) && !ts.isClassElement(node) && !ts.isUnionTypeNode(node.parent);
    let end = node.getEnd() + (isElement ? comma : 0);
    if (ts.isUnionTypeNode(node.parent)) {
      const before = /[|\s]*$/.exec(text.slice(0, node.getStart()))![0].length;
      const isFirstLeft = node.parent.types.find((type) => !this.removed.has(type))!;
      if (isFirstLeft.pos < node.pos) return [node.getStart() - before, end];
      return [node.getStart(), end + /^[|\s]*/.exec(text.slice(end))![0].length];
    }
    const [trailing] = ts.getTrailingCommentRanges(text, end) ?? [];
    if (trailing && !text.slice(end, trailing.pos).includes('\n')) end = trailing.end;
    return [isFirst ? node.getStart() : node.getFullStart(), end];
  }
}
