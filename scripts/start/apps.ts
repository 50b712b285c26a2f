import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface App {
  readonly name: string;
  readonly script: string;
  /** Its export `settingNames` lists the settings that the app reads; the process gets no others. */
  readonly config: string;
}

/** The applications of nest-cli.json, in its order, in which they are started and stopped. */
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
