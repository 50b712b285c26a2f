import type { INestApplicationContext } from '@nestjs/common';
import { Logger } from 'nestjs-pino';
import { Worker } from '@app/messaging';
import { closeDrained, type RunningProcess } from './run-process';

/** Starts the worker of a Nest context, prints its pipeline, and drains it before Nest closes anything. */
export async function workerProcess(app: INestApplicationContext): Promise<RunningProcess> {
  const logger = app.get(Logger);
  app.useLogger(logger);
  const worker = app.get(Worker);
  const steps = await worker.start();
  steps.forEach((step, index) => logger.debug(`step ${index + 1}, ${step}`));
  return {
    stop: async (tell) => {
      await worker.drain(tell);
      await closeDrained(app);
    },
  };
}
