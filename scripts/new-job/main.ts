import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SchematicsException } from '@angular-devkit/schematics';
import { NodeWorkflow } from '@angular-devkit/schematics/tools';
import type { JobOptions } from './job';

const projectFolder = join(__dirname, '../../..');
const usage = 'npm run new:job -- invoice.generate [--broker BROKER] [--worker WORKER]';

/** An error for the user. Its message is the only output. */
class Refusal extends Error {}

async function main(): Promise<void> {
  const options = readOptions();
  checkGit();
  const written: string[] = [];
  const workflow = new NodeWorkflow(projectFolder, { resolvePaths: [__dirname] });
  let conflict: string | undefined;
  workflow.reporter.subscribe(({ kind, path }) => {
    written.push(`  ${kind} ${path.replace(/^\//, '')}`);
    if (kind === 'error') conflict ??= `${path.replace(/^\//, '')} exists already.`;
  });
  try {
    const collection = join(__dirname, 'collection.json');
    await new Promise<void>((complete, error) => {
      workflow.execute({ collection, schematic: 'job', options }).subscribe({ complete, error });
    });
  } catch (error) {
    if (!(error instanceof SchematicsException)) undo();
    throw new Refusal(conflict ?? (error instanceof Error ? error.message : String(error)));
  }
  process.stdout.write(`${written.sort().join('\n')}\n\n${nextSteps(options)}\n`);
}

function readOptions(): JobOptions {
  try {
    const options = { broker: { type: 'string', default: 'bullmq' }, worker: { type: 'string' } } as const;
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (positionals.length !== 1) throw new TypeError(`got ${positionals.length} names`);
    return { name: positionals[0]!, ...values };
  } catch (error) {
    throw new Refusal(`Expected ${usage}; ${(error as Error).message.replace(/[.\n].*$/s, '')}.`);
  }
}

/** Only git can undo what is written. So every file must be as in the last commit. */
function checkGit(): void {
  try {
    git('cat-file', '-e', 'HEAD:./package.json');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new Refusal('Expected the program git, which can undo what this writes: install git, or add it to PATH.');
    }
    const [reason = ''] = String((error as { stderr?: string }).stderr).split('\n');
    throw new Refusal(
      `Expected a git repository that holds this folder, so that git can undo: run git init and commit. Git says: ${reason}`,
    );
  }
  const changed = git('status', '--porcelain', '--untracked-files=all', '--', '.').split('\n').filter(Boolean);
  if (changed.length === 0) return;
  throw new Refusal(
    `Expected no change since the last commit, so that git can undo: commit or stash "${changed[0]!.slice(3)}"${changed.length === 1 ? '' : ` and ${changed.length - 1} more`}.`,
  );
}

/** When a disk refuses one file, the others must not stay. All files were as in the last commit. */
function undo(): void {
  git('checkout', '--quiet', '--', '.');
  git('clean', '--quiet', '-d', '--force', '--', '.');
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: projectFolder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function nextSteps({ name, worker }: JobOptions): string {
  const noun = name.split('.')[0]!;
  const app = worker ?? `${noun}-worker`;
  const hasWebClient = existsSync(join(projectFolder, 'apps/web'));
  return [
    `Write the payload and the result in libs/features/${noun}/, and the work in apps/${app}/src/.`,
    `  npm start                                                    send one from ${hasWebClient ? 'the web client' : '/docs'}`,
    ...(hasWebClient
      ? [`  npm run web:types                                            beside npm start: the types of the web client`]
      : []),
    `  npx jest ${noun} --selectProjects unit`,
    `  npx jest test/e2e/${noun}.spec.ts --selectProjects e2e       after npm run build`,
    `To undo: git checkout -- . && git clean -df`,
  ].join('\n');
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Refusal ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
