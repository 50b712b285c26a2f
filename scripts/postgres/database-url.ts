import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readSettings } from '@app/configuration';
import { lastUrlIn } from './embedded-postgres';
import { locatePostgres } from './location';

const projectFolder = join(__dirname, '../../..');

/**
 * The database for a command beside a running system: its `DATABASE_URL`, or the embedded PostgreSQL of its `npm
 * start`.
 * @throws Error that says how to get one
 */
export function databaseUrl(): string {
  const envFile = join(projectFolder, '.env');
  if (existsSync(envFile)) process.loadEnvFile(envFile);
  if (process.env['DATABASE_URL']) return readSettings(['DATABASE_URL']).DATABASE_URL;
  const { folder } = locatePostgres(projectFolder, readSettings(['DATA_DIR']).DATA_DIR);
  const url = lastUrlIn(folder);
  if (url) return url;
  throw new Error('Expected DATABASE_URL to be set, or `npm start` to run with its own database; found neither.');
}
