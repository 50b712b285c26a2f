import { findRedis } from './brokers';
import { startTestPostgres } from './postgres';
import { keepForTeardown, runFolder } from './run-folder';

/**
 * One PostgreSQL and one set of brokers for a whole run, on free ports and in a folder of the run's own.
 * The tests find them in the environment.
 */
export default async function globalSetup(): Promise<void> {
  if (process.env['TEST_POSTGRES_URL']) return; // The other project of the same run was here before.
  const folder = runFolder();
  // What a process leaves behind is in the system's cache, whoever dies. Waiting for the disk as well would test the
  // disk: each database that a test drops is a checkpoint, during which all others stand still.
  const postgres = await startTestPostgres(folder, { fsync: 'off' });
  keepForTeardown(() => postgres.stop());
  process.env['TEST_POSTGRES_URL'] = postgres.url;

  const redis = await findRedis();
  if (redis.found) {
    process.env['TEST_REDIS_URL'] = redis.url;
    keepForTeardown(redis.stop);
  } else if (process.env['REQUIRE_BROKERS'] === 'all') {
    throw new Error(`REQUIRE_BROKERS=all, but there is no Redis. ${redis.howToGet}`);
  } else {
    process.stderr.write(`\nNo Redis: the tests of BullMQ on Redis are skipped. ${redis.howToGet}\n`);
  }
}
