import { Pool } from 'pg';
import { readSettings } from '@app/configuration';
import { brokerSettingNames, type BrokerSettings } from '@app/messaging';
import { freshDatabase } from '../../support/postgres';
import type { Backend } from '../../support/system';
import { endingWith } from './ending';

/** An empty database and empty queues, for one turn of one contender. */
export interface Stage {
  /** For looking at the ledger from outside. */
  readonly pool: Pool;
  readonly settings: BrokerSettings;
  /** The same, for processes. */
  readonly environment: NodeJS.ProcessEnv;
}

let stages = 0;

export async function onStage<Result>(backend: Backend, work: (stage: Stage) => Promise<Result>): Promise<Result> {
  const database = await freshDatabase();
  return endingWith(
    () => database.drop(),
    async () => {
      const pool = new Pool({ connectionString: database.url, max: 1 });
      pool.on('error', () => undefined);
      const environment = {
        DATABASE_URL: database.url,
        REDIS_URL: backend === 'bullmq-redis' ? process.env['TEST_REDIS_URL'] : '',
        BULLMQ_PREFIX: `bench${process.pid}x${(stages += 1)}`,
      };
      const settings = readSettings(brokerSettingNames, environment);
      return endingWith(
        () => pool.end(),
        () => work({ pool, settings, environment }),
      );
    },
  );
}

/** The backends there are: BullMQ on PostgreSQL always, on Redis where one was found. */
export function foundBackends(): readonly Backend[] {
  return process.env['TEST_REDIS_URL'] === undefined ? ['bullmq-postgres'] : ['bullmq-postgres', 'bullmq-redis'];
}
