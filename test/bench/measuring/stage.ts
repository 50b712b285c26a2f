import { Pool } from 'pg';
import { brokerSettingNames, readSettings } from '@app/configuration';
import { type BrokerSettings } from '@app/messaging';
import { freshDatabase } from '../../support/postgres';
import type { BenchBroker } from '../brokers/bench-broker';
import { clients } from '../brokers/clients';
import { addressOf, type BenchDriver } from '../drain/drivers';
import { endingWith } from './ending';

/** An empty database and an unused name prefix on the broker, for one turn of one contender. */
export interface Stage {
  readonly driver: BenchDriver;
  /** To inspect the ledger from outside. */
  readonly pool: Pool;
  /** The broker with its own client. */
  readonly broker: BenchBroker;
  readonly settings: BrokerSettings;
  /** The settings as an environment for processes. */
  readonly environment: NodeJS.ProcessEnv;
}

let stages = 0;

/** @param names of the queues and events that the work creates on the broker */
export async function onStage<Result>(
  driver: BenchDriver,
  names: readonly string[],
  work: (stage: Stage) => Promise<Result>,
): Promise<Result> {
  const database = await freshDatabase();
  return endingWith(
    () => database.drop(),
    async () => {
      const prefix = `bench${process.pid}x${(stages += 1)}`;
      const environment = {
        DATABASE_URL: database.url,
        REDIS_URL: '',
        BULLMQ_PREFIX: prefix,
        BROKER_PREFIX: `${prefix}.`,
        BENCH_DRIVER: driver.name,
        ...addressOf(driver),
      };
      const settings = readSettings(brokerSettingNames, environment);
      const pool = new Pool({ connectionString: database.url, max: 1 });
      pool.on('error', () => undefined);
      return endingWith(
        () => pool.end(),
        async () => {
          const broker = await clients[driver.name](environment);
          return endingWith(
            () => broker.close(),
            () =>
              endingWith(
                () => broker.cleanUp(names),
                () => work({ driver, pool, broker, settings, environment }),
              ),
          );
        },
      );
    },
  );
}
