import { AsyncResource } from 'node:async_hooks';
import type { Socket } from 'node:net';
import { Client, Pool, type ClientConfig, type PoolConfig } from 'pg';

/** Server settings of a session by name, such as `{ search_path: 'bullmq' }`. */
export type SessionSettings = Readonly<Record<string, string>>;

/** A server that accepts a connection answers the first statement within this time, in milliseconds, or not at all. */
const settingMs = 5_000;

/**
 * The options of a pool or client whose sessions have these settings, the settings that the address asks for, and UTC:
 * a date sent without a zone would otherwise be read in the zone of the server's machine.
 *
 * The first statement of each connection sets them in the session. Start-up parameters would save that statement, but a
 * pooler refuses a connection with them, or drops them.
 * @param url an address of PostgreSQL; settings in its parameter `options` are moved into the session
 * @param settings take precedence over those of the address
 */
export function sessionOptions(
  url: string,
  settings: SessionSettings = {},
): { connectionString: string; onConnect: (client: Pick<Client, 'query'>) => Promise<void> } {
  const { address, asked } = takeSettings(url);
  const all = { ...asked, ...settings, TimeZone: 'UTC' };
  return {
    connectionString: address,
    onConnect: async (client) => {
      const config: { text: string; values: unknown[]; query_timeout: number } = {
        text: 'SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS asked(name, value)',
        values: [Object.keys(all), Object.values(all)],
        query_timeout: settingMs,
      };
      await client.query(config);
    },
  };
}

/** Creates a pool whose lost connections do not end the process. */
export function createPool(
  url: string,
  config: Omit<PoolConfig, 'connectionString' | 'options'>,
  settings?: SessionSettings,
): Pool {
  const pool = new Pool({ keepAlive: true, ...config, ...sessionOptions(url, settings) });
  // The statement that uses a lost connection gets the error. pg also emits it as an event, on the pool for an idle
  // connection and on the client for one in use. An error event without a listener ends the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  // When a caller waits for a connection, the pool would go on in the context, and so in the trace, of the caller that
  // releases one.
  const connect = pool.connect.bind(pool);
  pool.connect = ((callback?: Parameters<typeof connect>[0]) =>
    callback ? connect(AsyncResource.bind(callback)) : connect()) as Pool['connect'];
  return pool;
}

/** Connects one client outside of a pool. @throws the error of the connection or of its first statement */
export async function connectClient(url: string, config: Omit<ClientConfig, 'connectionString'>): Promise<Client> {
  const { connectionString, onConnect } = sessionOptions(url);
  const client = new Client({ keepAlive: true, ...config, connectionString });
  // Emitted more than once: PostgreSQL says why it ends a connection, and then the connection ends.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await onConnect(client);
    return client;
  } catch (error) {
    void client.end().catch(() => undefined);
    throw error;
  }
}

/** How often a connection is checked, and how long an answer may take; in milliseconds. */
const askEveryMs = 2_000;
const answerMs = 4_000;

/** Members of a pg client that its types do not declare. */
interface ClientInternals {
  readonly connection: { readonly stream: Socket };
  readonly readyForQuery: boolean;
  readonly _activeQuery: object | null;
}

/**
 * Breaks a connection that accepts statements and never answers, for example behind a proxy or a firewall that dropped
 * its state. TCP does not notice while a middlebox acknowledges its packets. The waiting statement then gets an error,
 * and the owner of the connection opens another one. For connections whose statements take less than four seconds.
 */
export function breakWhenSilent(client: Pick<Client, 'query' | 'once' | 'listenerCount'>): void {
  const internals = client as unknown as ClientInternals;
  let waiting: { query: object | null; since: number } | undefined;
  const timer = setInterval(() => {
    if (internals.readyForQuery) {
      // Only a connection that waits for notifications is idle for long. Any other shows the fault at its next
      // statement.
      if (client.listenerCount('notification') === 0) return;
      client.query('SELECT 1').catch(() => undefined);
      waiting = { query: internals._activeQuery, since: performance.now() };
      return;
    }
    const query = internals._activeQuery;
    if (waiting?.query !== query) waiting = { query, since: performance.now() };
    else if (performance.now() - waiting.since > answerMs - askEveryMs / 2) {
      internals.connection.stream.destroy(new Error(`PostgreSQL has not answered for ${answerMs} ms.`));
    }
  }, askEveryMs);
  timer.unref();
  client.once('end', () => clearInterval(timer));
}

/**
 * One setting in the connection parameter `options`: `-c name=value` or `--name=value`. A backslash escapes the next
 * character, such as a space.
 */
const option = /(?:^|\s)(?:-c\s*|--)([\w.-]+)=((?:\\.|[^\s\\])*)(?=\s|$)/g;

/** Takes the settings out of the parameter `options` of an address. All other options stay in the address. */
function takeSettings(url: string): { address: string; asked: SessionSettings } {
  const address = new URL(url);
  const options = address.searchParams.get('options');
  if (options === null) return { address: url, asked: {} };
  const asked: Record<string, string> = {};
  const rest = options.replace(option, (_all, name: string, value: string) => {
    asked[name.replaceAll('-', '_')] = value.replace(/\\(.)/g, '$1');
    return '';
  });
  if (rest.trim() === '') address.searchParams.delete('options');
  else address.searchParams.set('options', rest.trim());
  return { address: address.href, asked };
}
