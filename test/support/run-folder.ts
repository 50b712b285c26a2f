import { accessSync, chmodSync, constants, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * What the global set-up has started. It is kept in `globalThis`, because set-up and teardown share only the process.
 */
const kept = globalThis as { testFolder?: string; testTeardowns?: (() => Promise<void>)[] };

const memory = '/dev/shm';
const neededBytes = 4 * 2 ** 30;

/**
 * @param lasting on a disk; otherwise in memory, if that has 4 GiB to spare. A test database is a few hundred files:
 *   ext4 takes six times the processor time to create and remove them.
 */
export function runFolder(lasting: boolean): string {
  kept.testFolder ??= mkdtempSync(join(!lasting && hasMemory() ? memory : tmpdir(), 'node-message-queue-test-'));
  chmodSync(kept.testFolder, 0o755); // When the tests run as root, an unprivileged user runs PostgreSQL in this folder.
  return kept.testFolder;
}

function hasMemory(): boolean {
  try {
    accessSync(memory, constants.W_OK);
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize >= neededBytes;
  } catch {
    return false; // Not Linux.
  }
}

export function keepForTeardown(stop: () => Promise<void>): void {
  (kept.testTeardowns ??= []).push(stop);
}

/** Ends everything at the same time. A failure does not stop the others from ending. */
export async function tearDown(): Promise<void> {
  const outcomes = await Promise.allSettled((kept.testTeardowns?.splice(0) ?? []).map((stop) => stop()));
  if (kept.testFolder) rmSync(kept.testFolder, { recursive: true, force: true });
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
