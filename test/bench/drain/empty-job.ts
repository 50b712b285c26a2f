import { z } from 'zod';
import { defineJob, fixed, type JobDefinition } from '@app/contracts';

const payload = z.strictObject({ to: z.string(), subject: z.string(), text: z.string() });
const result = z.strictObject({});

export const benchQueue = 'bench';

/** A kind of its own, whose handler does nothing: what is left is what a job costs by itself. */
export function emptyJob(concurrency: number): JobDefinition<typeof payload, typeof result> {
  return defineJob({
    kind: 'bench.empty',
    version: 1,
    queue: benchQueue,
    broker: 'bullmq',
    payload,
    result,
    retry: fixed({ attempts: 3, delay: '1s' }),
    timeout: '30s',
    concurrency,
  });
}
