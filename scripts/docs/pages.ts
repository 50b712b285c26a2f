import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The Markdown pages that a reader of the project opens, from the project's folder. */
export function findPages(projectFolder: string): string[] {
  return [
    ...readdirSync(projectFolder).filter((name) => name.endsWith('.md') && name !== 'CHANGELOG.md'),
    ...readdirSync(join(projectFolder, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
      .map((name) => `docs/${name}`),
    'examples/README.md',
  ].sort();
}
