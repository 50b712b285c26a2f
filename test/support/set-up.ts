import { endAfterExit } from '../../scripts/postgres/temporary-database';
import { startTestPostgres } from './postgres';
import { keepForTeardown, runFolder, tearDown } from './run-folder';

/**
 * Runs the parts of a set-up at the same time.
 * @throws Error when a part fails. Then it ends everything that the other parts have started, because Jest runs no
 *   teardown.
 */
export async function setUp(...parts: readonly (() => Promise<void>)[]): Promise<void> {
  const outcomes = await Promise.allSettled(parts.map((part) => part()));
  const failed = outcomes.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
  if (!failed) return;
  await tearDown();
  throw failed.reason;
}

/**
 * Starts one PostgreSQL for a whole run, on a free port and in the folder of the run.
 * @param fsync off for tests: the data of a killed process are in the cache of the operating system. With fsync, the
 *   tests would measure the disk: each dropped database is a checkpoint, during which all others wait.
 */
export async function setUpPostgres(fsync: 'on' | 'off' = 'off'): Promise<void> {
  if (process.env['TEST_POSTGRES_URL']) return; // Another project of the same run has already started it.
  const folder = runFolder(fsync === 'on');
  const postgres = await startTestPostgres(folder, { fsync });
  const takeBack = endAfterExit(postgres, folder);
  keepForTeardown(async () => {
    takeBack();
    await postgres.stop();
  });
  process.env['TEST_POSTGRES_URL'] = postgres.url;
}
