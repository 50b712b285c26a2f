import { systemEnvironment } from '../system-environment.cjs';

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
