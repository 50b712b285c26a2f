import { runAfterExit } from '../../scripts/brokers/run-after-exit';
import { startTestPostgres } from './postgres';
import { keepForTeardown, runFolder, tearDown } from './run-folder';

/**
 * Runs the parts of a set-up at the same time.
 * @throws Error when one fails, and then nothing that the others have started is left: Jest tears nothing down
 */
export async function setUp(...parts: readonly (() => Promise<void>)[]): Promise<void> {
  const outcomes = await Promise.allSettled(parts.map((part) => part()));
  const failed = outcomes.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
  if (!failed) return;
  await tearDown();
  throw failed.reason;
}

/**
 * One PostgreSQL for a whole run, on a free port and in a folder of the run's own.
 * @param fsync off for tests: what a process leaves behind is in the system's cache, whoever dies. Waiting for the disk
 *   as well would test the disk: each database that a test drops is a checkpoint, during which all others stand still.
 */
export async function setUpPostgres(fsync: 'on' | 'off' = 'off'): Promise<void> {
  if (process.env['TEST_POSTGRES_URL']) return; // Another project of the same run was here before.
  const postgres = await startTestPostgres(runFolder(), { fsync });
  const takeBack = runAfterExit('kill', '-QUIT', `${postgres.process.pid!}`);
  keepForTeardown(async () => {
    takeBack();
    await postgres.stop();
  });
  process.env['TEST_POSTGRES_URL'] = postgres.url;
}
