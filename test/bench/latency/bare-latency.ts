import { aMessage, topologyOf } from '../drain/backlog';
import { benchQueue } from '../drain/bench-queue';
import { withDriver } from '../drain/driver';
import type { BenchDriver } from '../drain/drivers';
import { emptyJob } from '../drain/empty-job';
import { BenchProcess } from '../measuring/bench-process';
import { onStage } from '../measuring/stage';
import { sampleOnIdle } from './samples';

/**
 * The time in milliseconds from the publish of the client until this process learns that another process has the
 * message.
 */
export function bareLatency(driver: BenchDriver, jobs: number): Promise<number[]> {
  return onStage(driver, [benchQueue], async (stage) => {
    const definition = emptyJob(driver.broker, 1);
    await withDriver(stage, topologyOf(definition), () => Promise.resolve());
    const environment = { ...stage.environment, BENCH_CONCURRENCY: '20', BENCH_REPORT: 'each' };
    return BenchProcess.during('raw-client', environment, async (child) => {
      child.send({});
      return sampleOnIdle(jobs, async () => {
        const started = child.message().then(() => performance.now());
        const message = aMessage(definition);
        const addedAt = performance.now();
        await stage.broker.publish([message]);
        return (await started) - addedAt;
      });
    });
  });
}
