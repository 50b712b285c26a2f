import type { Backend } from '../../support/system';
import { withDriver } from '../drain/driver';
import { emptyJob } from '../drain/empty-job';
import { BenchProcess } from '../measuring/bench-process';
import { onStage } from '../measuring/stage';
import { sampleOnIdle } from './samples';

/** From the call of BullMQ's own `add` until this process hears that the processor runs in another, in milliseconds. */
export function bareLatency(backend: Backend, jobs: number): Promise<number[]> {
  return onStage(backend, ({ settings, environment }) =>
    withDriver(settings, emptyJob(1), ({ queue }) =>
      BenchProcess.during(
        'bare-worker',
        { ...environment, BENCH_CONCURRENCY: '20', BENCH_REPORT: 'each' },
        async (child) => {
          child.send({});
          const latencies = await sampleOnIdle(jobs, async (n) => {
            const started = child.message().then(() => performance.now());
            const addedAt = performance.now();
            await queue.add('bench', { n }, { attempts: 1, priority: 2, removeOnComplete: true });
            return (await started) - addedAt;
          });
          await queue.obliterate({ force: true });
          return latencies;
        },
      ),
    ),
  );
}
