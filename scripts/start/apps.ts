import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface App {
  readonly name: string;
  readonly script: string;
  /** What it exports as `settingNames` is what it reads, and all that it is given. */
  readonly config: string;
}

/** The applications of nest-cli.json, in its order: as they are started, and as they are stopped. */
export function readApps(projectFolder: string): App[] {
  const { projects } = JSON.parse(readFileSync(join(projectFolder, 'nest-cli.json'), 'utf8')) as {
    projects: Record<string, { type: string; sourceRoot: string; entryFile?: string }>;
  };
  return Object.entries(projects)
    .filter(([, { type }]) => type === 'application')
    .map(([name, { sourceRoot, entryFile }]) => ({
      name,
      script: join(projectFolder, 'dist', sourceRoot, `${entryFile}.js`),
      config: join(projectFolder, 'dist', sourceRoot, 'config.js'),
    }));
}

export function settingNamesOf({ config }: App): readonly string[] {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return (require(config) as { settingNames: readonly string[] }).settingNames;
}
