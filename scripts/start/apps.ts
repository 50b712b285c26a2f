import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemEnvironment } from '../system-environment.cjs';

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

/** What one process runs. */
export interface Program {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly apps: readonly App[];
}

/**
 * @param apps the API, the relay, then the workers
 * @param oneProcess whether one process runs all workers
 */
export function programsOf(apps: readonly App[], oneProcess: boolean): Program[] {
  const alone = (app: App): Program => ({ name: app.name, script: app.script, args: [], apps: [app] });
  if (!oneProcess) return apps.map(alone);
  const workers = apps.slice(2);
  const args = workers.map(({ script }) => script);
  const together = { name: 'workers', script: join(__dirname, 'all-workers.js'), args, apps: workers };
  return [...apps.slice(0, 2).map(alone), together];
}

export function settingNamesOf({ config }: App): readonly string[] {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return (require(config) as { settingNames: readonly string[] }).settingNames;
}

/** Variables of PostgreSQL's clients, such as PGSSLMODE, which complete a DATABASE_URL. */
const postgresClient = /^PG[A-Z]+$/;

/**
 * @returns the environment of one process: what any program needs, and the settings that it reads. An attacker who
 *   breaks into a process can read the secrets in its environment
 */
export function environmentFor(settingNames: readonly string[], all: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isGiven = (name: string) =>
    settingNames.includes(name) || (settingNames.includes('DATABASE_URL') && postgresClient.test(name));
  const settings = Object.entries(all).filter(([name, value]) => isGiven(name) && value !== undefined);
  return { ...systemEnvironment(all), ...Object.fromEntries(settings) };
}
