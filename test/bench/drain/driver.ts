import { NestFactory } from '@nestjs/core';
import { Module } from '@nestjs/common';
import { configuredDrivers, DRIVERS, type BrokerDriver, type BrokerTopology } from '@app/messaging';
import { endingWith } from '../measuring/ending';
import type { Stage } from '../measuring/stage';

@Module({})
class PublisherModule {}

/**
 * Runs `work` in this process with the driver of libs/messaging, as the relay uses it, after the driver has created its queues.
 */
export async function withDriver<Result>(
  { settings, driver: { broker } }: Stage,
  topology: BrokerTopology,
  work: (driver: BrokerDriver) => Promise<Result>,
): Promise<Result> {
  const { imports, provider } = configuredDrivers(settings, 'bench', topology, 'publish');
  const app = await NestFactory.createApplicationContext(
    { module: PublisherModule, imports, providers: [provider] },
    // With `abortOnError`, Nest would end this process and leave everything running that this process has started.
    { logger: ['error', 'warn'], abortOnError: false },
  );
  const drivers = app.get<BrokerDriver[]>(DRIVERS);
  const driver = drivers.find(({ name }) => name === broker)!;
  return endingWith(
    async () => {
      await Promise.all(drivers.map((one) => one.close()));
      await app.close();
    },
    async () => {
      await Promise.all(drivers.map((one) => one.ready()));
      return work(driver);
    },
  );
}
