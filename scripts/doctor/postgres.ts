import { readdirSync } from 'node:fs';
import type { Pool } from 'pg';
import { createPool } from '@app/ledger';
import { checkDatabase, PoolerRefused, type BrokerSettings } from '@app/messaging';
import { ago, finding, unanswered, unreachable, type Finding } from './finding';

/** As README.md says. */
const oldestVersion = 14;
/** Settings by which a commit is on disk when it is answered. */
const durable = ['fsync', 'full_page_writes', 'synchronous_commit'];
const clockMs = 1_000;
const deadRows = 100_000;
const mostConnections = 0.8;

/**
 * Reads only.
 * @param folder of the migrations
 * @param openSeconds how long a transaction may be open
 */
export async function* examinePostgres(
  settings: BrokerSettings,
  folder: string,
  openSeconds = 300,
): AsyncGenerator<Finding> {
  const pool = createPool(settings.DATABASE_URL, {
    application_name: 'doctor',
    max: 1,
    connectionTimeoutMillis: 5_000,
    query_timeout: 10_000,
  });
  try {
    try {
      yield await version(pool);
    } catch (error) {
      yield unreachable('DATABASE_URL', error);
      return;
    }
    const checks: Readonly<Record<string, (check: string) => Promise<Finding>>> = {
      'sessions keep their settings, also behind a pooler': (check) => sessions(check, settings),
      'no migration is missing': (check) => migrations(check, pool, folder),
      [`commits are on disk: ${durable.join(', ')}`]: (check) => durability(check, pool),
      'its clock and the clock of this machine agree': (check) => clock(check, pool),
      [`no transaction is open for more than ${ago(openSeconds)}`]: (check) =>
        openTransactions(check, pool, openSeconds),
      'no table has more dead rows than live ones': (check) => bloat(check, pool),
      'there are free connections': (check) => connections(check, pool),
    };
    for (const [check, look] of Object.entries(checks)) {
      yield await look(check).catch((error: unknown) => unanswered(check, error));
    }
  } finally {
    await pool.end();
  }
}

async function version(pool: Pool): Promise<Finding> {
  const [row] = await read<{ version: string }>(pool, `SELECT current_setting('server_version') AS version`);
  return finding(
    `it is PostgreSQL ${oldestVersion} or newer`,
    row!.version,
    parseInt(row!.version) < oldestVersion && {
      why: 'the statements use what older versions do not have',
      proceed: 'upgrade the server with pg_upgrade or by logical replication',
    },
  );
}

async function sessions(check: string, settings: BrokerSettings): Promise<Finding> {
  try {
    await checkDatabase(settings);
    return finding(check, 'they do');
  } catch (error) {
    if (!(error instanceof PoolerRefused)) throw error;
    return finding(check, error.message, {
      why: 'statement time-outs, UTC and LISTEN would be lost between two statements; no process starts like this',
      proceed: 'docs/operations.md, "Connections to PostgreSQL", says which pool mode each address needs',
    });
  }
}

async function migrations(check: string, pool: Pool, folder: string): Promise<Finding> {
  const [table] = await read<{ found: boolean }>(pool, `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS found`);
  const applied = table!.found
    ? await read<{ name: string }>(
        pool,
        'SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
      )
    : [];
  const names = new Set(applied.map(({ name }) => name));
  const missing = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !names.has(entry.name))
    .map(({ name }) => name)
    .sort();
  return finding(
    check,
    missing.length === 0 ? `${names.size} applied` : missing.join(', '),
    missing.length > 0 && {
      why: 'statements of this version use tables and columns that the database does not have',
      proceed: 'npm run migrate',
    },
  );
}

async function durability(check: string, pool: Pool): Promise<Finding> {
  const rows = await read<{ name: string; setting: string }>(
    pool,
    `SELECT name, coalesce(nullif(reset_val, ''), setting) AS setting FROM pg_settings
      WHERE name = ANY ($1) ORDER BY name`,
    [durable],
  );
  // remote_write waits for the disk of this server too, and remote_apply for more than `on`.
  const weak = rows.filter(({ setting }) => ['off', 'local'].includes(setting));
  return finding(
    check,
    rows.map(({ name, setting }) => `${name}=${setting}`).join(' '),
    weak.length > 0 && {
      why: 'a 202 promises that the job survives a crash of the server; without these it does not',
      proceed: 'set them to on in postgresql.conf, or for the role of DATABASE_URL',
    },
  );
}

async function clock(check: string, pool: Pool): Promise<Finding> {
  const before = Date.now();
  const [row] = await read<{ ms: number }>(pool, 'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms');
  const skew = Math.round(row!.ms - (before + Date.now()) / 2);
  return finding(
    check,
    `${skew} ms apart`,
    Math.abs(skew) > clockMs && {
      why: 'leases and delays use the database alone, but logs, metrics and sessions use the clock of each machine',
      proceed: 'run an NTP client on both machines',
    },
  );
}

async function openTransactions(check: string, pool: Pool, openSeconds: number): Promise<Finding> {
  const rows = await read<{ pid: number; application: string; seconds: number }>(
    pool,
    `SELECT pid, application_name AS application, extract(epoch FROM now() - xact_start)::float8 AS seconds
       FROM pg_stat_activity
      WHERE datname = current_database() AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL) AND xact_start < now() - $1 * interval '1 second'
        AND pid <> pg_backend_pid()
      ORDER BY xact_start LIMIT 3`,
    [openSeconds],
  );
  // Without this right the transactions of other roles are not visible.
  const [right] = await read<{ seesAll: boolean }>(
    pool,
    `SELECT pg_has_role('pg_read_all_stats', 'USAGE') AS "seesAll"`,
  );
  if (rows.length === 0 && !right!.seesAll) {
    return finding(check, 'none of this role; others are not visible', {
      why: 'a forgotten transaction of another role would not be seen',
      proceed: 'GRANT pg_read_all_stats TO the role of DATABASE_URL, or run the doctor as such a role',
    });
  }
  return finding(
    check,
    rows
      .map(({ pid, application, seconds }) => `pid ${pid} (${application || 'no name'}) for ${ago(seconds)}`)
      .join(', ') || 'none',
    rows.length > 0 && {
      why: 'VACUUM keeps every row that it could still read, so taking from the outbox slows down with each job',
      proceed: `end it in its program, or: ${rows.map(({ pid }) => `SELECT pg_terminate_backend(${pid})`).join('; ')}`,
    },
  );
}

async function bloat(check: string, pool: Pool): Promise<Finding> {
  const rows = await read<{ name: string; dead: string; live: string }>(
    pool,
    `SELECT relname AS name, n_dead_tup::text AS dead, n_live_tup::text AS live FROM pg_stat_user_tables
      WHERE n_dead_tup > greatest(n_live_tup, $1) ORDER BY n_dead_tup DESC LIMIT 5`,
    [deadRows],
  );
  return finding(
    check,
    rows.map(({ name, dead, live }) => `${name}: ${dead} dead, ${live} live`).join('; ') || 'none',
    rows.length > 0 && {
      why: 'every statement reads past the dead rows',
      proceed: 'look for a transaction that stays open (above); then VACUUM the table',
    },
  );
}

async function connections(check: string, pool: Pool): Promise<Finding> {
  const [row] = await read<{ used: number; most: number }>(
    pool,
    `SELECT sum(numbackends)::int AS used, current_setting('max_connections')::int AS most FROM pg_stat_database`,
  );
  const { used, most } = row!;
  return finding(
    check,
    `${used} of ${most} used`,
    used > most * mostConnections && {
      why: 'a process that starts or comes back gets no connection',
      proceed: 'raise max_connections, or start fewer processes: docs/operations.md counts the connections of each',
    },
  );
}

async function read<Row extends object>(pool: Pool, sql: string, values: unknown[] = []): Promise<Row[]> {
  return (await pool.query<Row & Record<string, unknown>>(sql, values)).rows;
}
