import { setTimeout as delay } from 'node:timers/promises';
import { assertSession, ledgerSession, PoolerRefused, relayPool } from '@app/ledger';
import { bullmqSession } from './bullmq/bullmq-connection';
import type { BrokerSettings } from './configured-drivers';

export { PoolerRefused };

export type DatabaseAddresses = Pick<BrokerSettings, 'DATABASE_URL'> &
  Partial<Pick<BrokerSettings, 'DATABASE_DIRECT_URL' | 'REDIS_URL'>>;

const retryMs = 1_000;

/**
 * Checks that the sessions of both PostgreSQL addresses keep the settings that this system sets.
 * @throws PoolerRefused; the error of pg when a database is away
 */
export async function checkDatabase(settings: DatabaseAddresses): Promise<void> {
  const { DATABASE_URL, DATABASE_DIRECT_URL, REDIS_URL } = settings;
  const ledger = { ...ledgerSession(relayPool), TimeZone: 'UTC' };
  const direct = { ...(REDIS_URL === undefined && bullmqSession), TimeZone: 'UTC' };
  if (DATABASE_DIRECT_URL === undefined) {
    await assertSession(DATABASE_URL, { ...ledger, ...direct }, 'DATABASE_URL');
    return;
  }
  const database = await assertSession(DATABASE_URL, ledger, 'DATABASE_URL');
  if ((await assertSession(DATABASE_DIRECT_URL, direct, 'DATABASE_DIRECT_URL')) === database) return;
  throw new PoolerRefused(
    'not_the_same_database',
    'DATABASE_DIRECT_URL: expected the database of DATABASE_URL, without the pooler; got another database or server.',
  );
}

/**
 * The same check at the start of a process. Does not wait for a database that is away: it repeats the check every
 * second until the database answers, and then reports a refusal to `onRefused`.
 * @throws PoolerRefused when the first check finds one
 */
export async function checkDatabaseAtStart(
  settings: DatabaseAddresses,
  onRefused: (error: PoolerRefused) => void,
): Promise<void> {
  try {
    await checkDatabase(settings);
  } catch (error) {
    if (error instanceof PoolerRefused) throw error;
    void delay(retryMs, undefined, { ref: false }).then(() =>
      checkDatabaseAtStart(settings, onRefused).catch((refused: unknown) => onRefused(refused as PoolerRefused)),
    );
  }
}
