import ts from 'typescript';

export const specifiersIn = (text: string): string[] =>
  [...text.matchAll(/(?:\bfrom |\bimport |\bimport\(|\brequire\()'([^']+)'/g)].map(([, specifier]) => specifier!);

export const isCode = (path: string): boolean =>
  /\.([mc]?js|[mc]?ts)$/.test(path) && !/\.d\.[mc]?ts$|^eslint\.config|^apps\/web\//.test(path);

export function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

/** All statements but imports. */
export const statementsOf = (file: ts.SourceFile) => file.statements.filter((one) => !ts.isImportDeclaration(one));

/** The names that a file uses, apart from their imports and declarations. */
export function usesIn(file: ts.SourceFile): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) return;
    if (ts.isIdentifier(node) && isUse(node)) names.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return names;
}

export function isExported(node: ts.Node): boolean {
  return ts.canHaveModifiers(node) && !!ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
}

export function namesIn(name: ts.BindingName): ts.Identifier[] {
  if (ts.isIdentifier(name)) return [name];
  return name.elements.flatMap((element) => (ts.isOmittedExpression(element) ? [] : namesIn(element.name)));
}

export function declaredBy(statement: ts.Node): ts.Identifier[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) => namesIn(name));
  }
  const named = statement as Partial<ts.FunctionDeclaration>;
  const isDeclaration =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isEnumDeclaration(statement);
  return isDeclaration && named.name ? [named.name] : [];
}

/** A statement or a member of a class, in its list. */
export function isListed(node: ts.Node): boolean {
  const { parent } = node;
  const holds = ts.isSourceFile(parent) || ts.isBlock(parent) || ts.isCaseOrDefaultClause(parent);
  return (holds && ts.isStatement(node)) || (ts.isClassElement(node) && !ts.isConstructorDeclaration(node));
}

/**
 * Whether a list is a row, which would mean something else without this element: a list in a list, or a text before the
 * rest of an argument, such as `send(['GET /', ...headers])`.
 */
export function isInRow(element: ts.Node, list: ts.ArrayLiteralExpression): boolean {
  const isHead = ts.isStringLiteralLike(element) && list.elements.some(ts.isSpreadElement);
  return (isHead && ts.isCallExpression(list.parent)) || ts.isArrayLiteralExpression(list.parent);
}

/** Of a list that may well be empty. */
export function isTypedAsList(node: ts.PropertyAssignment): boolean {
  return /^(subscriptions|controllers|providers|imports|dependencies)$/.test(node.name.getText());
}

export function isKey(node: ts.Identifier): boolean {
  const { parent } = node;
  return (
    (ts.isPropertyAssignment(parent) || ts.isShorthandPropertyAssignment(parent) || ts.isPropertySignature(parent)) &&
    parent.name === node
  );
}

/** Whether an identifier means the variable of its name. */
export function isUse(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isQualifiedName(parent)) return parent.left === node;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  if (ts.isBindingElement(parent)) return parent.initializer === node;
  if (ts.isMethodDeclaration(parent) || ts.isPropertySignature(parent) || ts.isPropertyDeclaration(parent)) {
    return parent.name !== node;
  }
  if (ts.isParameter(parent) || ts.isVariableDeclaration(parent)) return parent.name !== node;
  if (ts.isFunctionDeclaration(parent) || ts.isClassDeclaration(parent) || ts.isInterfaceDeclaration(parent)) {
    return parent.name !== node;
  }
  if (ts.isTypeAliasDeclaration(parent) || ts.isEnumDeclaration(parent)) return parent.name !== node;
  return true;
}

export function scopeOf(node: ts.Node): ts.Node {
  let at = node.parent;
  while (!ts.isBlock(at) && !ts.isSourceFile(at) && !ts.isFunctionLike(at) && !ts.isModuleBlock(at)) at = at.parent;
  return at;
}

/** In the rows of `it.each`. */
export function isOfTable(node: ts.Node): boolean {
  if (ts.isSourceFile(node) || ts.isFunctionLike(node)) return false;
  return (ts.isCallExpression(node) && /\beach$/.test(node.expression.getText())) || isOfTable(node.parent);
}

export function statementAround(node: ts.Node): ts.Node {
  return isListed(node) ? node : statementAround(node.parent);
}

export function functionAround(node: ts.Node): ts.FunctionLikeDeclaration | undefined {
  for (let at = node.parent; !ts.isSourceFile(at); at = at.parent) {
    if (ts.isFunctionLike(at)) return at as ts.FunctionLikeDeclaration;
  }
  return undefined;
}
