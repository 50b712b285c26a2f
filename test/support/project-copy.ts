import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { projectFolder } from './postgres';

/** What git does not hold, and `npm` or a build makes again. */
const notCopied = new Set(['.data', '.git', 'coverage', 'dist', 'generated', 'node_modules', 'reports']);

/** A copy of this project with one commit, in which a test may change files and build. */
export class ProjectCopy {
  readonly folder = mkdtempSync(join(tmpdir(), 'project-'));

  constructor() {
    const filter = (path: string) =>
      !relative(projectFolder, path)
        .split(sep)
        .some((name) => notCopied.has(name));
    cpSync(projectFolder, this.folder, { recursive: true, filter });
    symlinkSync(join(projectFolder, 'node_modules'), join(this.folder, 'node_modules'));
    this.git('init', '--quiet');
    writeFileSync(join(this.folder, '.git/info/exclude'), 'node_modules\n');
    this.git('config', 'user.name', 'Test');
    this.git('config', 'user.email', 'test@example.com');
    this.commit('A copy');
  }

  commit(message: string): void {
    this.git('add', '--all');
    this.git('commit', '--quiet', '--message', message);
  }

  git(...args: string[]): string {
    return this.expectSuccess('git', args);
  }

  /** Runs a Node program of the copy. @throws Error with its output if it fails */
  node(...args: string[]): string {
    return this.expectSuccess(process.execPath, args);
  }

  run(program: string, args: readonly string[]) {
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: this.folder, encoding: 'utf8' });
    return { status, stdout, stderr };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private expectSuccess(program: string, args: readonly string[]): string {
    const { status, stdout, stderr } = this.run(program, args);
    if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with code ${status}:\n${stdout}${stderr}`);
    return stdout;
  }
}
