import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFolder } from '../../support/postgres';
import { endingWith } from '../measuring/ending';

/**
 * Builds another revision in a git worktree in a temporary folder, which is removed at the end. It gets packages of its
 * own only if its package-lock.json differs from the present one.
 * @param revision anything that git resolves to a commit
 */
export async function withRevision<Result>(
  revision: string,
  work: (folder: string) => Promise<Result>,
): Promise<Result> {
  const parent = mkdtempSync(join(tmpdir(), 'bench-start-'));
  chmodSync(parent, 0o755); // Its PostgreSQL may run as another user.
  const folder = join(parent, 'base');
  return endingWith(
    async () => {
      await run('git', ['worktree', 'remove', '--force', folder], projectFolder);
      rmSync(parent, { recursive: true, force: true });
    },
    async () => {
      await run('git', ['worktree', 'add', '--detach', folder, revision], projectFolder);
      const lockFileOf = (project: string) => readFileSync(join(project, 'package-lock.json'), 'utf8');
      if (lockFileOf(folder) === lockFileOf(projectFolder)) {
        symlinkSync(join(projectFolder, 'node_modules'), join(folder, 'node_modules'));
      } else {
        await run('npm', ['ci', '--no-audit', '--no-fund'], folder);
      }
      await run(process.execPath, ['scripts/build.mjs'], folder);
      return work(folder);
    },
  );
}

/** Runs a program. Its output goes to stderr, because stdout has the results. */
async function run(program: string, args: readonly string[], folder: string): Promise<void> {
  process.stderr.write(`  ${program} ${args.join(' ')}\n`);
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 2, 2] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with code ${code}.`);
}
