import type { Client } from 'pg';
import { connectClient, type SessionSettings } from './session';

/**
 * A pooler in front of PostgreSQL cannot serve this system. The message names the setting with the address, the reason
 * and the remedy.
 */
export class PoolerRefused extends Error {
  constructor(
    readonly code:
      | 'pooler_shares_sessions'
      | 'pooler_drops_settings'
      | 'pooler_refuses_settings'
      | 'pooler_is_full'
      | 'not_the_same_database',
    message: string,
  ) {
    super(message);
    this.name = 'PoolerRefused';
  }
}

/** A pooler that shares sessions may return the same session by chance, so the check runs several rounds. */
const rounds = 5;

/**
 * Checks that sessions at an address keep the settings that this system sets in them. Opens two connections at once. A
 * pooler is present when the pid of the server process differs from the pid that the connection announced.
 * @param url the address of PostgreSQL or of a pooler
 * @param settings the server settings that a session must keep, by name
 * @param variable the name of the setting that holds the address, for the message
 * @returns an identity of the database: its oid and the start time of its server
 * @throws PoolerRefused when a pooler shares sessions, drops or refuses settings, or has no connection left; the error
 *   of pg when the database is away
 */
export async function assertSession(url: string, settings: SessionSettings, variable: string): Promise<string> {
  const clients: Client[] = [];
  const connect = async (): Promise<Client> => {
    const client = await connectClient(url, {
      application_name: 'boot check',
      connectionTimeoutMillis: 5_000,
      query_timeout: 5_000,
    });
    clients.push(client);
    return client;
  };
  try {
    const first = await connect();
    const asked = await readAll(first, settings, 'set_config(name, wanted, false)');
    const pid = await pidOf(first);
    // pg does not declare `processID`: https://www.postgresql.org/docs/current/protocol-message-formats.html,
    // BackendKeyData
    const isPooled = pid !== (first as unknown as { processID: number }).processID;
    if (isPooled && (await sharesSessions(first, pid, await orFull(connect(), variable)))) {
      throw new PoolerRefused(
        'pooler_shares_sessions',
        `${variable}: expected PostgreSQL or a pooler in session mode, got a pooler that shares sessions between clients ` +
          '(transaction or statement mode): time-outs, the time zone and prepared statements would get lost. ' +
          'Set pool_mode=session for this database, or name another address.',
      );
    }
    const kept = await readAll(first, settings, 'current_setting(name)');
    const lost = Object.keys(settings).filter((name) => kept[name] !== asked[name]);
    if (lost.length > 0) {
      throw new PoolerRefused(
        'pooler_drops_settings',
        `${variable}: expected a session that keeps what is set in it, got ` +
          `${lost.map((name) => `${name}=${kept[name] ?? ''} in place of ${asked[name] ?? ''}`).join(', ')}. ` +
          'Set pool_mode=session for this database, or name another address.',
      );
    }
    return await identityOf(first);
  } catch (error) {
    throw refusalOf(error, variable);
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  }
}

/** PgBouncer and other poolers report a refused parameter as SQLSTATE 08P01, protocol_violation. */
function refusalOf(error: unknown, variable: string): unknown {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code !== '08P01') return error;
  return new PoolerRefused(
    'pooler_refuses_settings',
    `${variable}: the pooler behind this address refuses the connection: ${String(message)}. ` +
      'Take the parameter out of the address, or name another address.',
  );
}

async function orFull(connected: Promise<Client>, variable: string): Promise<Client> {
  return connected.catch((error: unknown) => {
    if ((error as Error).message !== 'Query read timeout') throw error;
    throw new PoolerRefused(
      'pooler_is_full',
      `${variable}: the pooler behind this address has no connection to PostgreSQL left. ` +
        'In session mode each connection of this system needs one: raise default_pool_size. docs/operations.md has the numbers.',
    );
  });
}

async function sharesSessions(first: Client, pid: number, second: Client): Promise<boolean> {
  for (let round = 0; round < rounds; round += 1) {
    try {
      await second.query('BEGIN');
      const pids = [await pidOf(second), await pidOf(first)];
      await second.query('COMMIT');
      if (pids[0] === pid || pids[1] !== pid) return true;
    } catch (error) {
      // A pooler in statement mode refuses transactions.
      if ((error as { code?: unknown }).code === '08P01') return true;
      throw error;
    }
  }
  return false;
}

const pidOf = (client: Client) => read<number>(client, 'pg_backend_pid()');

const identityOf = (client: Client) =>
  read<string>(
    client,
    `(SELECT oid || ' ' || extract(epoch FROM pg_postmaster_start_time()) FROM pg_database WHERE datname = current_database())`,
  );

async function read<Value>(client: Client, expression: string): Promise<Value> {
  const { rows } = await client.query<{ value: Value }>(`SELECT ${expression} AS value`);
  return rows[0]!.value;
}

/**
 * @param expression SQL: `set_config(name, wanted, false)` or `current_setting(name)`
 * @returns the settings as the server writes them
 */
async function readAll(client: Client, settings: SessionSettings, expression: string): Promise<SessionSettings> {
  const { rows } = await client.query<{ name: string; value: string }>(
    `SELECT name, ${expression} AS value FROM unnest($1::text[], $2::text[]) AS asked(name, wanted)`,
    [Object.keys(settings), Object.values(settings)],
  );
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
}
