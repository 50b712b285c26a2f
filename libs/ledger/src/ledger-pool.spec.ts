import { createLedgerPool, callerPool } from './ledger-pool';

it('the API waits for PostgreSQL less than the 3 s that its callers are promised', async () => {
  const pool = createLedgerPool('postgres://localhost/unused', 'api', callerPool);
  const { connectionTimeoutMillis, query_timeout } = pool.options as {
    connectionTimeoutMillis: number;
    query_timeout: number;
  };
  await pool.end();
  expect(connectionTimeoutMillis).toBeGreaterThan(0);
  expect(query_timeout).toBeGreaterThan(callerPool.queryMs);
  expect(connectionTimeoutMillis + query_timeout).toBeLessThan(3_000);
});
