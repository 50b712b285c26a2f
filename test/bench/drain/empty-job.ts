import { z } from 'zod';
import { defineJob, fixed, type BrokerName, type JobDefinition } from '@app/contracts';
import { benchQueue } from './bench-queue';

const payload = z.strictObject({ to: z.string(), subject: z.string(), text: z.string() });
const result = z.strictObject({});

/** A kind whose handler does nothing, so that only the cost of the job itself is measured. */
export function emptyJob(broker: BrokerName, concurrency: number): JobDefinition<typeof payload, typeof result> {
  return defineJob({
    kind: 'bench.empty',
    version: 1,
    queue: benchQueue,
    broker,
    payload,
    result,
    retry: fixed({ attempts: 3, delay: '1s' }),
    timeout: '30s',
    concurrency,
  });
}
