import { Test } from '@nestjs/testing';
import { jobDefinitions } from '@app/features/catalogue';
import { type BrokerName } from '@app/contracts';
import { configuredDrivers, DRIVERS, queuesOf, type BrokerDriver, type BrokerSettings } from '@app/messaging';

/** The queues of a system, to be looked at from outside. */
export interface OpenQueues {
  /** How many messages may still come to a worker, those included that a dead one has not acknowledged. */
  depth(queue: string): Promise<number>;
  close(): Promise<void>;
}

/** By the system's own driver: not every broker says to a stranger what its workers have in hand. */
export async function openQueues(settings: BrokerSettings, broker: BrokerName): Promise<OpenQueues> {
  const topology = { queues: queuesOf(jobDefinitions), events: [] };
  const { imports, provider } = configuredDrivers(settings, 'test', topology, 'publish');
  const module = await Test.createTestingModule({ imports, providers: [provider] }).compile();
  const drivers = module.get<readonly BrokerDriver[]>(DRIVERS);
  const driver = drivers.find(({ name }) => name === broker)!;
  await driver.ready();
  return {
    depth: (queue) => driver.depth(queue),
    close: async () => {
      await Promise.all(drivers.map((each) => each.close()));
      await module.close();
    },
  };
}
