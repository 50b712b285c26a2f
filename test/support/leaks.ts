import { type Client } from 'pg';
import { until } from './until';

/** Timers, sockets and processes that keep this process alive. */
function held(): number {
  return process.getActiveResourcesInfo().filter((name) => /Timeout|TCP|Pipe|Process/.test(name)).length;
}

/**
 * Call it before a test creates anything.
 * @returns a function that fails when the test has left anything behind
 */
export function leakGuard(): () => Promise<void> {
  const before = held();
  return async () => {
    await until(
      `no more timers, sockets and processes than the ${before} before the test`,
      () => Promise.resolve(process.getActiveResourcesInfo()),
      () => held() <= before,
      5_000,
    );
  };
}

/** @throws Error that names the pools with open connections */
export async function assertNoConnections(databaseUrl: string, server: Client): Promise<void> {
  const database = new URL(databaseUrl).pathname.slice(1);
  await until(
    'every connection to the test database is closed',
    async () =>
      (
        await server.query<{ application_name: string }>(
          // Excludes the autovacuum of a large table.
          `SELECT application_name FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'`,
          [database],
        )
      ).rows,
    (rows) => rows.length === 0,
    5_000,
  );
}
