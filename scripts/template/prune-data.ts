import type { Gone } from './gone';
import type { Sources } from './prune-code';

/** Removes the entries of removed parts from the files that list apps, packages, scripts, services and settings. */
export function pruneData(sources: Sources, gone: Gone): void {
  const edit = (path: string, change: (text: string) => string) => {
    const text = sources.get(path);
    if (text !== undefined) sources.set(path, change(text));
  };
  for (const path of ['nest-cli.json', 'tsconfig.json', '.swcrc', 'knip.json']) {
    edit(path, (text) => write(pruneJson(JSON.parse(text), gone)));
  }
  edit('package.json', (text) => write(prunePackage(JSON.parse(text) as PackageJson, gone)));
  for (const path of ['.ci/run', 'test/extended/run.sh']) edit(path, (text) => pruneShell(text, sources, gone));
  edit('docker-compose.yml', (text) => pruneCompose(text, gone));
  edit('deploy/prometheus/prometheus.yml', (text) => pruneTargets(text, gone));
  edit('apps/web/src/api/schema.d.ts', (text) => pruneUnions(text, gone));
  for (const path of ['.env.example', 'compose.development.env']) edit(path, (text) => pruneEnvironment(text, gone));
}

const write = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/** @returns the value without each text that names something removed, and without what consisted only of such texts */
function pruneJson(value: unknown, gone: Gone): unknown {
  if (Array.isArray(value)) {
    const isOut = (one: unknown) => typeof one === 'string' && (gone.hasName(one) || gone.programs.has(one));
    return value.filter((one) => !isOut(one)).map((one) => pruneJson(one, gone));
  }
  if (typeof value !== 'object' || value === null) return value;
  const isOut = ([key, inner]: [string, unknown]): boolean => {
    const { root } = (inner ?? {}) as { root?: unknown };
    if (gone.hasName(key) || (typeof root === 'string' && gone.hasName(root))) return true;
    return Array.isArray(inner) && inner.length > 0 && (pruneJson(inner, gone) as unknown[]).length === 0;
  };
  const left = Object.entries(value).filter((entry) => !isOut(entry));
  return Object.fromEntries(left.map(([key, inner]) => [key, pruneJson(inner, gone)]));
}

type PackageJson = Readonly<Record<string, Readonly<Record<string, string>>>>;

function prunePackage(content: PackageJson, gone: Gone): PackageJson {
  const withoutGone = (group: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(group).filter(([name]) => !gone.dependencies.has(name)));
  const groups = Object.entries(content).map(([name, group]): [string, PackageJson[string]] => {
    if (name === 'scripts') return [name, pruneScripts(group, gone)];
    return [name, name.toLowerCase().endsWith('dependencies') ? withoutGone(group) : group];
  });
  return Object.fromEntries(groups);
}

/** @returns the scripts without those whose program was removed, and without what npm runs before these */
function pruneScripts(scripts: PackageJson[string], gone: Gone): PackageJson[string] {
  const left = Object.entries(scripts).flatMap(([name, command]): [string, string][] => {
    const steps = command.split(' && ').map((step) => pruneStep(step, gone));
    const kept = steps.filter((step) => step !== undefined);
    return kept.length > 0 ? [[name, kept.join(' && ')]] : [];
  });
  const names = new Set(left.map(([name]) => name));
  return Object.fromEntries(left.filter(([name]) => !name.startsWith('pre') || names.has(name.slice(3))));
}

/** @returns the command without the removed test projects; undefined when its program or its package was removed */
function pruneStep(step: string, gone: Gone): string | undefined {
  const words = step.split(' ');
  const isProject = (word: string) => step.startsWith('jest ') && gone.hasPath(`test/${word}`);
  const isGone = (word: string) =>
    word.includes('/') && gone.hasPath(word.replace(/^dist\//, '').replace(/\.js$/, '.ts'));
  const prefix = words[words.indexOf('--prefix') + 1]!;
  if (gone.dependencies.has(words[0]!)) return undefined;
  if (words.some(isGone) || (words.includes('--prefix') && gone.hasPath(`${prefix}/package.json`))) return undefined;
  const left = words.filter((word) => !isProject(word));
  const [program, option, first = '-'] = left;
  if (left.length < words.length && program === 'jest' && option === '--selectProjects' && first.startsWith('-')) {
    return undefined;
  }
  return left.join(' ');
}

/** @returns the text without the lines that look for a removed program, and the paragraphs that run a removed script */
function pruneShell(text: string, sources: Sources, gone: Gone): string {
  const { scripts } = JSON.parse(sources.get('package.json')!) as { scripts: Record<string, string | undefined> };
  const isOut = (paragraph: string) =>
    [...paragraph.matchAll(/npm run ([\w:]+)/g)].some(([, name]) => scripts[name!] === undefined) ||
    paragraph.split(/[\s"']+/).some((word) => gone.hasPath(word.replace(/^dist\//, '').replace(/\.js$/, '.ts')));
  return text
    .trimEnd()
    .split('\n\n')
    .filter((paragraph) => !isOut(paragraph))
    .join('\n\n')
    .split('\n')
    .filter((line) => !gone.programs.has(/^\s*command -v ([\w-]+)/.exec(line)?.[1] ?? ''))
    .join('\n')
    .concat('\n');
}

/** @returns the text without the entries whose key is a removed service, volume or variable */
function pruneCompose(text: string, gone: Gone): string {
  const isOut = (key: string) => gone.services.has(key) || gone.variables.has(key);
  const lines = text.split('\n');
  const left: string[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at]!;
    const [, indent = '', key = ''] = /^(\s*)([\w-]+):/.exec(line) ?? [];
    if (!isOut(key)) {
      left.push(line);
      continue;
    }
    while (left.at(-1)?.startsWith(`${indent}#`)) left.pop();
    while (lines[at + 1] !== undefined && (lines[at + 1] === '' || lines[at + 1]!.startsWith(`${indent} `))) at += 1;
    if (lines[at] === '') at -= 1;
    if (left.at(-1) === '' && lines[at + 1] === '') left.pop();
  }
  const anchors = new Set([...left.join('\n').matchAll(/&([\w-]+)/g)].map(([, name]) => name!));
  const volumes = gone.services;
  return left
    .map((line) => line.replace(/, \*([\w-]+)(?=[\],])/g, (alias, name: string) => (anchors.has(name) ? alias : '')))
    .filter((line) => !volumes.has(/^\s+volumes: \[([\w-]+):[^,]*\]$/.exec(line)?.[1] ?? ''))
    .join('\n');
}

/** @returns the text without the lines `- service:port` of removed services */
const pruneTargets = (text: string, gone: Gone): string =>
  text
    .split('\n')
    .filter((line) => !gone.services.has(/^\s+- ([\w-]+):\d+$/.exec(line)?.[1] ?? ''))
    .join('\n');

/** @returns the generated types as the API without the removed brokers would give them */
const pruneUnions = (text: string, gone: Gone): string =>
  text.replace(/"[\w-]+"(?: \| "[\w-]+")+/g, (union) =>
    union
      .split(' | ')
      .filter((member) => !gone.brokers.has(member.slice(1, -1)))
      .join(' | '),
  );

/**
 * @returns the text without the lines of removed variables, and without the comment above them when no other variable is
 *   there
 */
function pruneEnvironment(text: string, gone: Gone): string {
  const groups: { comments: string[]; variables: string[]; blank: boolean }[] = [];
  let isNew = true;
  for (const line of text.split('\n')) {
    const isVariable = /^#?[A-Z0-9_]+=/.test(line);
    if (isNew && !isVariable) groups.push({ comments: [], variables: [], blank: false });
    const group = groups.at(-1)!;
    if (isVariable) group.variables.push(line);
    else group.comments.push(line);
    isNew = isVariable;
  }
  return groups
    .map(({ comments, variables }) => {
      const left = variables.filter((line) => !gone.variables.has(/^#?(\w+)=/.exec(line)![1]!));
      if (variables.length > 0 && left.length === 0) return comments.filter((line) => line === '').slice(0, 1);
      return [...comments, ...left];
    })
    .flat()
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+/, '');
}
