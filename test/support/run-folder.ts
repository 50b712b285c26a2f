import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * What the global set-up has started. It is kept in `globalThis`, because set-up and teardown share only the process.
 */
const kept = globalThis as { testFolder?: string; testTeardowns?: (() => Promise<void>)[] };

export function runFolder(): string {
  kept.testFolder ??= mkdtempSync(join(tmpdir(), 'node-message-queue-test-'));
  chmodSync(kept.testFolder, 0o755); // When the tests run as root, an unprivileged user runs PostgreSQL in this folder.
  return kept.testFolder;
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
