import ts from 'typescript';

/** Whether a call declares a test or a group of tests, also as in `(isThere ? it : it.skip)(…)` and `withRedis(…)`. */
export function testCall(call: ts.CallExpression): 'test' | 'group' | undefined {
  const file = call.getSourceFile();
  if (!file.fileName.startsWith('test/') && !file.fileName.endsWith('.spec.ts')) return undefined;
  const text = call.expression.getText();
  const [root] = /^\w*/.exec(text)!;
  if (/^(it|test)$/.test(root)) return 'test';
  if (/^(describe|onEach\w+)$/.test(root)) return 'group';
  const declaration = root === '' ? text : new RegExp(`const ${root} = [^;]*`).exec(file.text)?.[0];
  const [, kind] = /[?:] (it|describe)\b/.exec(declaration ?? '') ?? [];
  if (kind === undefined) return undefined;
  return kind === 'it' ? 'test' : 'group';
}

export function hasTests(node: ts.Node, removed: ReadonlySet<ts.Node>): boolean {
  let found = false;
  const visit = (inner: ts.Node): void => {
    if (removed.has(inner) || found) return;
    if (inner !== node && ts.isCallExpression(inner) && testCall(inner) !== undefined) found = true;
    ts.forEachChild(inner, visit);
  };
  visit(node);
  return found;
}

export function testsIn(file: ts.SourceFile): number {
  return file.fileName.endsWith('.spec.ts') && hasTests(file, new Set()) ? 1 : 0;
}
