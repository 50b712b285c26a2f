import type { Socket } from 'node:net';
import { Client, Pool, type ClientConfig, type PoolConfig } from 'pg';

/** Server settings of a session by name, such as `{ search_path: 'bullmq' }`. */
export type SessionSettings = Readonly<Record<string, string>>;

/** A server that takes a connection answers this quickly, or not at all. */
const settingMs = 5_000;

/**
 * The options of a pool or client whose sessions have these settings, those that the address itself asks for, and
 * UTC: a driver that sends a date without its zone would have it read in the zone of the server's machine.
 *
 * They are set in the session, by the first statement of each connection. Start-up parameters would save that statement,
 * but a pooler refuses a connection with them, or drops them.
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

/** A pool that survives the loss of its connections. */
export function createPool(
  url: string,
  config: Omit<PoolConfig, 'connectionString' | 'options'>,
  settings?: SessionSettings,
): Pool {
  const pool = new Pool({ keepAlive: true, ...config, ...sessionOptions(url, settings) });
  surviveLostConnections(pool);
  return pool;
}

/** One connection outside of a pool. */
export async function connectClient(url: string, config: Omit<ClientConfig, 'connectionString'>): Promise<Client> {
  const { connectionString, onConnect } = sessionOptions(url);
  const client = new Client({ keepAlive: true, ...config, connectionString });
  // More than once: PostgreSQL says why it ends a connection, and then the connection ends.
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

/**
 * A lost connection is an error of the statement that used it. pg also emits it: on the pool where the connection
 * was idle, on the client where it was in use, and there an event without a listener ends the process.
 */
function surviveLostConnections(pool: Pool): void {
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
}

/** How often a connection is asked whether it still answers, and how long it may take. */
const askEveryMs = 2_000;
const answerMs = 4_000;

/** What pg does not declare of its client. */
interface ClientInternals {
  readonly connection: { readonly stream: Socket };
  readonly readyForQuery: boolean;
  readonly _activeQuery: object | null;
}

/**
 * Breaks a connection that takes statements and never answers, as behind a proxy or a firewall that has forgotten it.
 * TCP does not notice while something in between acknowledges its packets. What waits for an answer then gets an error,
 * and the owner of the connection makes another one. For connections whose statements take less than four seconds.
 */
export function breakWhenSilent(client: Pick<Client, 'query' | 'once' | 'listenerCount'>): void {
  const internals = client as unknown as ClientInternals;
  let waiting: { query: object | null; since: number } | undefined;
  const timer = setInterval(() => {
    if (internals.readyForQuery) {
      // Only what waits for notifications is silent for long. The others show it at their next statement.
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

/** `-c name=value` and `--name=value`, as PostgreSQL reads the parameter `options`: a backslash keeps a space. */
const option = /(?:^|\s)(?:-c\s*|--)([\w.-]+)=((?:\\.|[^\s\\])*)(?=\s|$)/g;

/** Takes the settings out of the parameter `options` of an address. What is no setting stays in it. */
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
