import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

const envFile = join(import.meta.dirname, '../.env');

/** Where the API of `npm start` listens: by PORT and HOST, from the environment or from .env, as npm start reads them. */
export function apiAddress(environment = process.env) {
  const file = existsSync(envFile) ? parseEnv(readFileSync(envFile, 'utf8')) : {};
  // npm start lets a variable that is set, be it empty, stand before the file.
  const valueOf = (name) => (name in environment ? environment[name] : file[name]);
  const port = valueOf('PORT') || '3000';
  const host = valueOf('HOST') || '127.0.0.1';
  // A server that listens on all addresses is asked at this machine's own.
  const reachable = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[host] ?? (host.includes(':') ? `[${host}]` : host);
  return `http://${reachable}:${port}`;
}
