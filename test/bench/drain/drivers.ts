import type { BrokerName } from '@app/contracts';
import type { Broker } from '../../../scripts/brokers/broker';
import { kafka } from '../../../scripts/brokers/kafka';
import { rabbitmq } from '../../../scripts/brokers/rabbitmq';
import { redis } from '../../../scripts/brokers/redis';
import { driverNames, type DriverName } from '../brokers/clients';

/** What the bench knows of a driver beside its client. */
export interface BenchDriver {
  readonly name: DriverName;
  readonly broker: BrokerName;
  /** Enough for some seconds of whoever keeps the ledger. */
  readonly jobs: number;
  /** How many times as many the raw client needs to be busy for some seconds. */
  readonly rawTimes: number;
  readonly concurrency: number;
  /** Undefined where PostgreSQL is the broker. */
  readonly server: Broker | undefined;
}

const bullmq = { broker: 'bullmq', concurrency: 50 } as const;

const known: Readonly<Record<DriverName, Omit<BenchDriver, 'name'>>> = {
  'bullmq-postgres': { ...bullmq, server: undefined, jobs: 3_000, rawTimes: 1 },
  'bullmq-redis': { ...bullmq, server: redis, jobs: 15_000, rawTimes: 3 },
  rabbitmq: { broker: 'rabbitmq', server: rabbitmq, concurrency: 500, jobs: 40_000, rawTimes: 4 },
  kafka: { broker: 'kafka', server: kafka, concurrency: 500, jobs: 40_000, rawTimes: 10 },
};

function driversOf(name: DriverName | 'all'): BenchDriver[] {
  return driverNames.filter((one) => name === 'all' || name === one).map((one) => ({ name: one, ...known[one] }));
}

/** What has to be there for a driver, or for all. */
export function brokersOf(name: DriverName | 'all'): Broker[] {
  return driversOf(name).flatMap(({ server }) => server ?? []);
}

/** @returns the address of its broker, for a process that is to use it; undefined where the set-up has found none */
export function addressOf({ server }: BenchDriver): Readonly<Record<string, string>> | undefined {
  if (!server) return {};
  const address = process.env[`TEST_${server.variable}`];
  return address === undefined ? undefined : { [server.variable]: address };
}

/**
 * @param name one of the drivers, or all that are there
 * @throws Error when one was named whose broker is not there
 */
export function foundDrivers(name: DriverName | 'all'): BenchDriver[] {
  const found = driversOf(name).filter((driver) => addressOf(driver) !== undefined);
  if (found.length === 0) throw new Error(`There is no broker for --driver ${name}.`);
  return found;
}
