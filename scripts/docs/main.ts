import '../../libs/configuration/src/check-node.cjs';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { embedInto, listExamples } from './embed';
import { findPages } from './pages';

const projectFolder = join(__dirname, '../../..');

/** `npm run docs:embed` writes the code and the output that the pages show, from the files that CI runs. */
for (const page of findPages(projectFolder)) {
  const path = join(projectFolder, page);
  const old = readFileSync(path, 'utf8');
  let fresh: string;
  try {
    fresh = listExamples(embedInto(old, projectFolder), projectFolder);
  } catch (error) {
    process.stderr.write(`${page}: ${(error as Error).message}\n`);
    process.exitCode = 1;
    continue;
  }
  if (fresh === old) continue;
  writeFileSync(path, fresh);
  process.stdout.write(`${page}\n`);
}
