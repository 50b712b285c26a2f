import { systemEnvironment } from '../system-environment.cjs';

/** Variables of PostgreSQL's clients, such as PGSSLMODE: they complete a DATABASE_URL that does not say it all. */
const postgresClient = /^PG[A-Z]+$/;

/**
 * What one process is given of everything: what any program needs, and the settings that it reads. A secret in the
 * environment of a process can be read by an attacker who breaks into it.
 */
export function environmentFor(settingNames: readonly string[], all: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isGiven = (name: string) =>
    settingNames.includes(name) || (settingNames.includes('DATABASE_URL') && postgresClient.test(name));
  const settings = Object.entries(all).filter(([name, value]) => isGiven(name) && value !== undefined);
  return { ...systemEnvironment(all), ...Object.fromEntries(settings) };
}
