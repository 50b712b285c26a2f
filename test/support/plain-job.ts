import { z } from 'zod';
import { defineJob, fixed, type JobDefinition } from '@app/contracts';
import { uniqueName } from './core';

const payload = z.strictObject({ n: z.int() });
const result = z.strictObject({ n: z.int() });

/** Defines a new kind of job that takes a number and returns one. */
export function plainJob(
  overrides: Partial<
    Pick<
      JobDefinition,
      'concurrency' | 'concurrencyPerTenant' | 'timeoutMs' | 'version' | 'upcast' | 'rateLimit' | 'retry' | 'orderBy'
    >
  > & {
    attempts?: number;
  } = {},
): JobDefinition<typeof payload, typeof result> {
  const name = uniqueName();
  const { attempts = 3, ...rest } = overrides;
  return {
    ...defineJob({
      kind: `${name}.run`,
      version: 1,
      queue: name,
      broker: 'memory',
      payload,
      result,
      retry: fixed({ attempts, delay: '20ms' }),
      timeout: '30s',
      concurrency: 4,
    }),
    ...rest,
  };
}
