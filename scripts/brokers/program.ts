import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/**
 * Finds the first program that exists on this machine, of names on the path and of absolute paths. Finds none on
 * Windows, where brokers run in Docker.
 */
export function findProgram(...candidates: readonly string[]): string | undefined {
  if (process.platform === 'win32') return undefined;
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return candidates
    .flatMap((name) => (isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name))))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
