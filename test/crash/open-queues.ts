import { Test } from '@nestjs/testing';
import { jobDefinitions } from '@app/features/catalogue';
import { type BrokerName } from '@app/contracts';
import { configuredDrivers, DRIVERS, queuesOf, type BrokerDriver, type BrokerSettings } from '@app/messaging';

/** Inspects the queues of a system from outside. */
export interface OpenQueues {
  /** How many messages may still be delivered to a worker, including those that a dead worker has not acknowledged. */
  depth(queue: string): Promise<number>;
  close(): Promise<void>;
}

/** Uses the driver of the system, because not every broker reports messages in flight to other clients. */
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
