import { NestFactory } from '@nestjs/core';
import { getQueueToken } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import type { Queue } from 'bullmq';
import type { JobDefinition } from '@app/contracts';
import { configuredDrivers, DRIVERS, queuesOf, type BrokerDriver, type BrokerSettings } from '@app/messaging';
import { endingWith } from '../measuring/ending';
import { benchQueue } from './empty-job';

export interface Publisher {
  readonly driver: BrokerDriver;
  /** BullMQ's own, on the driver's connection. */
  readonly queue: Queue;
}

@Module({})
class PublisherModule {}

/** The driver as the relay has it, in this process. */
export async function withDriver<Result>(
  settings: BrokerSettings,
  definition: JobDefinition,
  work: (publisher: Publisher) => Promise<Result>,
): Promise<Result> {
  const { imports, provider } = configuredDrivers(
    settings,
    'bench',
    { queues: queuesOf([definition]), events: [] },
    'publish',
  );
  const app = await NestFactory.createApplicationContext(
    { module: PublisherModule, imports, providers: [provider] },
    // Nest would end the process, and leave everything running that this one has started.
    { logger: ['error', 'warn'], abortOnError: false },
  );
  const driver = app.get<BrokerDriver[]>(DRIVERS)[0]!;
  const queue = app.get<Queue>(getQueueToken(benchQueue), { strict: false });
  // A relay that stops closes its drivers; once is enough.
  const close = driver.close.bind(driver);
  let closed: Promise<void> | undefined;
  driver.close = () => (closed ??= close());
  await queue.waitUntilReady();
  return endingWith(
    async () => {
      await driver.close();
      await app.close();
    },
    () => work({ driver, queue }),
  );
}
