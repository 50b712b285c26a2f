import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder } from '@app/configuration';
import { noticeOf } from '../notice/notice';
import { systemEnvironment } from '../system-environment.cjs';
import { Gone } from './gone';
import { introduced } from './introduction';
import { partsLeftOut, readParts, type Part, type Wish } from './parts';
import { pruneCode, type Sources } from './prune-code';
import { pruneData } from './prune-data';
import { prunePages } from './prune-pages';
import { isCode } from './syntax';
import { TemplateRefused } from './template-refused';

export interface Template {
  /** Contents by path; of a text that was pruned, or the bytes of the original. */
  readonly files: ReadonlyMap<string, string | Buffer>;
  /** Whether anything was left out. */
  readonly isCutDown: boolean;
}

const ownName = 'node-message-queue';
const isText = (path: string) =>
  /\.([mc]?[jt]sx?|json|md|ya?ml|env|example|prisma|toml|html|sh|css|template)$|^[^.]*$|^\.[\w/]+$/.test(path);

/** The files that Git knows, as they are in the folder. */
export function filesOfProject(projectFolder: string): string[] {
  const { status, stdout, stderr, error } = spawnSync('git', ['ls-files', '-z'], {
    cwd: projectFolder,
    encoding: 'utf8',
    maxBuffer: 64 * 1_024 * 1_024,
  });
  if (error) throw new TemplateRefused('Git says which files belong to the project: install git, or add it to PATH.');
  if (status !== 0 || stdout === '') {
    const [reason] = stderr.split('\n');
    throw new TemplateRefused(
      `Git says which files belong to the project, and here it does not: use a clone, not an archive. ${reason && `Git says: ${reason}`}`.trim(),
    );
  }
  return stdout.split('\0').filter((path) => path !== '' && existsSync(join(projectFolder, path)));
}

/**
 * @returns the files of a project that has the chosen parts of this one
 * @throws TemplateRefused
 */
export async function planTemplate(projectFolder: string, wish: Wish, name?: string): Promise<Template> {
  const paths = filesOfProject(projectFolder);
  const parts = readParts(projectFolder, paths);
  const leftOut = partsLeftOut(parts, wish);
  const kept = parts.filter((part) => !leftOut.includes(part));
  const gone = new Gone(leftOut, kept);
  const files = new Map<string, string | Buffer>(paths.map((path) => [path, readFileSync(join(projectFolder, path))]));
  const before = new Map(files);
  if (!gone.isNothing) prune(files, gone, kept);
  if (name !== undefined) rename(files, name);
  for (const [path, content] of files) {
    if (content !== before.get(path)) files.set(path, await formatted(path, String(content)));
  }
  return { files, isCutDown: !gone.isNothing };
}

function prune(files: Map<string, string | Buffer>, gone: Gone, kept: readonly Part[]): void {
  const original: Sources = new Map(
    [...files].filter(([path]) => isText(path)).map(([path, text]) => [path, String(text)]),
  );
  const sources: Sources = new Map([...original].filter(([path]) => !gone.hasPath(path)));
  for (const [path, text] of sources) {
    // A job or an event that prefers a removed broker is carried by the one that every project has.
    const preferred = text.replace(/^(\s+broker: )'(\w+)'(?=,$)/gm, (whole, key: string, broker: string) =>
      gone.hasName(broker) ? `${key}'bullmq'` : whole,
    );
    if (isCode(path)) sources.set(path, preferred);
  }
  const { compilerOptions } = JSON.parse(original.get('tsconfig.json')!) as {
    compilerOptions: { paths: Record<string, [string]> };
  };
  const aliases = new Map(Object.entries(compilerOptions.paths).map(([alias, [target]]) => [alias, target]));
  pruneCode(sources, original, gone, aliases);
  pruneData(sources, gone);
  for (const path of [...files.keys()]) if (gone.hasPath(path)) files.delete(path);
  prunePages(sources, original, new Set(files.keys()), gone);
  sources.set('README.md', introduced(sources.get('README.md')!, ownName, kept));
  for (const [path, text] of sources) {
    if (text !== original.get(path)) files.set(path, text);
  }
}

async function formatted(path: string, text: string): Promise<string> {
  // Loaded here: Jest cannot load it, and the tests of this file need no formatting.
  const { format, getFileInfo, resolveConfig } = await import('prettier');
  const ignorePath = join(__dirname, '../../../.prettierignore');
  const { inferredParser, ignored } = await getFileInfo(path, { ignorePath });
  if (inferredParser === null || ignored) return text;
  return format(text, { ...(await resolveConfig(join(__dirname, '../../..', path))), filepath: path });
}

function rename(files: Map<string, string | Buffer>, name: string): void {
  for (const [path, content] of files) {
    if (!isText(path) || path === 'LICENSE' || !content.includes(ownName)) continue;
    files.set(path, String(content).replaceAll(ownName, name));
  }
}

/** @throws TemplateRefused when the folder exists and is not empty, or cannot be read */
export function assertEmpty(target: string): void {
  if (!existsSync(target)) return;
  let isEmpty: boolean;
  try {
    isEmpty = statSync(target).isDirectory() && readdirSync(target).length === 0;
  } catch (error) {
    throw new TemplateRefused(`${target} cannot be read (${(error as Error).message}).`);
  }
  if (!isEmpty) {
    throw new TemplateRefused(`${target} is not an empty folder: choose another one.`);
  }
}

/**
 * Writes the files into a folder that does not exist, or that is empty, and trims package-lock.json and NOTICE.
 * @throws TemplateRefused when the folder cannot be used; then it is as it was
 */
export function writeTemplate(projectFolder: string, target: string, { files, isCutDown }: Template): void {
  assertEmpty(target);
  const existed = existsSync(target);
  let created: string | undefined;
  try {
    created = makeFolder(target);
    for (const [path, content] of files) {
      const file = join(target, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      if (statSync(join(projectFolder, path)).mode & 0o100) chmodSync(file, 0o755);
    }
    if (isCutDown) trimLock(target);
  } catch (error) {
    if (created !== undefined) rmSync(created, { recursive: true, force: true });
    else if (existed)
      for (const name of readdirSync(target)) rmSync(join(target, name), { recursive: true, force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new TemplateRefused(`${target} cannot be written (${message}).`);
  }
}

/** npm keeps the versions, and the packages of all platforms. It needs nothing from a registry or a cache for that. */
function trimLock(target: string): void {
  const command = ['install', '--package-lock-only', '--offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  const npm = process.env['npm_execpath'];
  const [program, args] = npm ? [process.execPath, [npm, ...command]] : ['npm', command];
  const { status, stderr } = spawnSync(program, args, { cwd: target, env: systemEnvironment(), encoding: 'utf8' });
  if (status !== 0) throw new TemplateRefused(`npm cannot trim package-lock.json: ${stderr.trim().split('\n').at(-1)}`);
  const { packages } = JSON.parse(readFileSync(join(target, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, unknown>;
  };
  const installed = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)));
  const file = join(target, 'package.json');
  const content = JSON.parse(readFileSync(file, 'utf8')) as Record<'overrides' | 'allowScripts', object>;
  const left = (group: object) => Object.fromEntries(Object.entries(group).filter(([name]) => installed.has(name)));
  const { overrides, allowScripts } = content;
  const text = { ...content, overrides: left(overrides), allowScripts: left(allowScripts) };
  writeFileSync(file, `${JSON.stringify(text, null, 2)}\n`);
  writeFileSync(join(target, 'NOTICE'), noticeOf(target));
}
