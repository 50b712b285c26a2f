import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the global set-up has started, kept where both projects' teardowns find it: they share a process only. */
const kept = globalThis as { testFolder?: string; testTeardowns?: (() => Promise<void>)[] };

export function runFolder(): string {
  kept.testFolder ??= mkdtempSync(join(tmpdir(), 'node-message-queue-test-'));
  chmodSync(kept.testFolder, 0o755); // An unprivileged user runs PostgreSQL in it when the tests run as root.
  return kept.testFolder;
}

export function keepForTeardown(stop: () => Promise<void>): void {
  (kept.testTeardowns ??= []).push(stop);
}

export async function tearDown(): Promise<void> {
  for (const stop of kept.testTeardowns?.splice(0).reverse() ?? []) await stop();
  if (kept.testFolder) rmSync(kept.testFolder, { recursive: true, force: true });
}
