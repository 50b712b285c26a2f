import type { BrokerName } from '@app/contracts';
import type { Broker } from '../../../scripts/brokers/broker';
import { kafka } from '../../../scripts/brokers/kafka';
import { rabbitmq } from '../../../scripts/brokers/rabbitmq';
import { redis } from '../../../scripts/brokers/redis';
import { driverNames, type DriverName } from '../brokers/clients';

/** What the bench knows of a driver apart from its client. */
export interface BenchDriver {
  readonly name: DriverName;
  readonly broker: BrokerName;
  /** Enough jobs to keep a contender with a ledger busy for some seconds. */
  readonly jobs: number;
  /** The factor by which the raw client gets more messages, to be busy for some seconds. */
  readonly rawTimes: number;
  readonly concurrency: number;
  /** Undefined when PostgreSQL is the broker. */
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

/** The brokers that one driver needs, or all drivers. */
export function brokersOf(name: DriverName | 'all'): Broker[] {
  return driversOf(name).flatMap(({ server }) => server ?? []);
}

/**
 * @returns the address of the broker, as an environment for a process; undefined when the set-up has found no broker
 */
export function addressOf({ server }: BenchDriver): Readonly<Record<string, string>> | undefined {
  if (!server) return {};
  const address = process.env[`TEST_${server.variable}`];
  return address === undefined ? undefined : { [server.variable]: address };
}

/**
 * @param name one of the drivers, or all that have a broker
 * @throws Error when no broker was found
 */
export function foundDrivers(name: DriverName | 'all'): BenchDriver[] {
  const found = driversOf(name).filter((driver) => addressOf(driver) !== undefined);
  if (found.length === 0) throw new Error(`There is no broker for --driver ${name}.`);
  return found;
}
