import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { projectFolder } from './postgres';

/** Runs `npm run doctor` without its build. @returns what it printed, and the lines of the checks that failed */
export function runDoctor(environment: NodeJS.ProcessEnv) {
  const env = { PATH: process.env['PATH'], ...environment };
  const program = join(projectFolder, 'dist/scripts/doctor/main.js');
  const { status, stdout } = spawnSync(process.execPath, [program], { env, cwd: projectFolder, encoding: 'utf8' });
  return { status, stdout, failed: stdout.split('\n').filter((line) => line.startsWith('  FAIL')) };
}

/** Nothing listens there. */
export const nowhere = '127.0.0.1:1';

export const isUnreachable = expect.stringMatching(/FAIL {2}it can be reached: .*ECONNREFUSED/) as string;
