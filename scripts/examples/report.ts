import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from './run-example';
import { servers } from './servers';

/** By broker and capability: the examples that show it, and whether they passed. */
type Report = Record<string, Record<string, { file: string; passed: boolean }[]>>;

/** Writes `reports/examples.json`, the source of the native capabilities in the documentation. */
export function writeReport(projectFolder: string, runs: readonly Run[]): void {
  const report: Report = {};
  for (const { example, faults } of runs) {
    const capabilities = (report[servers[example.needs].broker] ??= {});
    for (const capability of example.shows) {
      (capabilities[capability] ??= []).push({ file: example.file, passed: faults.length === 0 });
    }
  }
  mkdirSync(join(projectFolder, 'reports'), { recursive: true });
  writeFileSync(join(projectFolder, 'reports/examples.json'), `${JSON.stringify(report, null, 2)}\n`);
}
