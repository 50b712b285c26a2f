import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface DataFolder {
  readonly path: string;
  /** Removes the folder, if this code has created it. */
  remove(): void;
}

export function openDataFolder(requested: string | undefined): DataFolder {
  if (requested === undefined) {
    const path = mkdtempSync(join(tmpdir(), 'node-message-queue-broker-'));
    return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
  }
  mkdirSync(requested, { recursive: true });
  return { path: requested, remove: () => undefined };
}
