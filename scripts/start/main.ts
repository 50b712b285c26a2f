import '../../libs/configuration/src/check-node.cjs';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { brokerRoutes, ConfigurationError, readSettings, settings, type Settings } from '@app/configuration';
import { jobDefinitions } from '@app/features/catalogue';
import { whenNpmIsGone } from './npm-parent';
import { StartRefused } from './start-refused';
import { Supervisor } from './supervisor';

const projectFolder = join(__dirname, '../../..');

/**
 * `npm start`: runs everything, from PostgreSQL to the workers, until Ctrl-C. `npm start -- --one-process` runs all
 * workers in one process.
 */
async function main(): Promise<void> {
  const oneProcess = readArguments(process.argv.slice(2));
  const envFile = join(projectFolder, '.env');
  if (existsSync(envFile)) process.loadEnvFile(envFile);
  const databaseUrl = process.env['DATABASE_URL'] || undefined;
  const checked = checkSettings(databaseUrl);
  await refuseTakenPort(checked.PORT, checked.HOST);

  const supervisor = new Supervisor({
    projectFolder,
    databaseUrl,
    settings: checked,
    environment: {
      ...process.env,
      LOG_FORMAT: process.env['LOG_FORMAT'] || 'pretty',
      // From Node 22.1 on, the processes keep their compiled code here, so that they start faster the next time.
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] || join(projectFolder, 'dist/compile-cache'),
    },
    oneProcess,
    say: (line) => process.stdout.write(`${line}\n`),
  });
  // A terminal sends Ctrl-C to npm and to this process, and npm passes it on, so a second one has no effect.
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= supervisor.stop().then(() => process.exit(0));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  whenNpmIsGone(stop);

  try {
    await supervisor.start();
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
  if (!stopped) process.stdout.write(`ready ${checked.PUBLIC_URL ?? `http://localhost:${checked.PORT}`}\n`);
}

function readArguments(args: string[]): boolean {
  const unknown = args.filter((one) => one !== '--one-process');
  if (unknown.length > 0) throw new StartRefused(`Expected no argument or --one-process, got ${unknown.join(' ')}.`);
  return args.length > 0;
}

/** Checks all settings of all apps at once, before anything starts. */
function checkSettings(databaseUrl: string | undefined): Settings {
  const mayEmbed = process.env['NODE_ENV'] !== 'production';
  const environment = databaseUrl || !mayEmbed ? process.env : { ...process.env, DATABASE_URL: 'postgres://embedded' };
  const checked = readSettings(Object.keys(settings) as (keyof Settings)[], environment);
  brokerRoutes(checked, jobDefinitions);
  return checked;
}

async function refuseTakenPort(port: number, host: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${error.code})`;
      reject(new StartRefused(`Port ${port} ${why}. Stop it, or choose another port with the variable PORT.`));
    });
    server.listen(port, host, () => server.close(() => resolve()));
  });
}

main().catch((error: unknown) => {
  const isForPeople = error instanceof StartRefused || error instanceof ConfigurationError;
  const message = isForPeople ? error.message : error instanceof Error ? error.stack : error;
  process.stderr.write(`${message as string}\n`);
  process.exit(1);
});
