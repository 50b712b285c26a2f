import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { done, HandlerRegistry, JobHandler, MemoryDriver, queuesOf } from '@app/messaging';
import type { JobDefinition } from '@app/contracts';
import { plainJob } from '../support/plain-job';

const job = plainJob();
const other = plainJob();

@JobHandler(job)
class First {
  handle() {
    return Promise.resolve(done({ n: 1 }));
  }
}

@JobHandler(job)
class Second {
  handle() {
    return Promise.resolve(done({ n: 2 }));
  }
}

describe('the boot check of a worker', () => {
  async function resolve(served: JobDefinition[], providers: (new () => object)[]) {
    @Module({ imports: [DiscoveryModule], providers: [HandlerRegistry, ...providers] })
    class Worker {}
    const module = await Test.createTestingModule({ imports: [Worker] }).compile();
    return module.get(HandlerRegistry).resolve(served, [new MemoryDriver({ queues: queuesOf(served), events: [] })]);
  }

  it('finds the one handler of each kind', async () => {
    const handlers = await resolve([job], [First]);
    expect([...handlers.keys()]).toEqual([job.kind]);
    expect(handlers.get(job.kind)!.handler).toBeInstanceOf(First);
  });

  it('names every fault at once: a kind without a handler, with two handlers, and one that is not served', async () => {
    await expect(resolve([job, other], [First, Second])).rejects.toMatchObject({
      code: 'boot_check_failed',
      faults: [
        `${job.kind}: expected one class with @JobHandler among the providers, got First and Second`,
        `${other.kind}: expected one class with @JobHandler among the providers, got none`,
      ],
    });
    await expect(resolve([other], [First])).rejects.toThrow(
      `${job.kind}: First handles it, but this worker does not serve it`,
    );
  });

  it('refuses a rate limit on a broker that has no rate limit', async () => {
    const limited = { ...job, rateLimit: { max: 1, perMs: 1_000 } };
    await expect(resolve([limited], [First])).rejects.toThrow('has a rateLimit, which memory cannot keep');
  });

  it('refuses two rate limits on one queue', () => {
    const limited = { ...other, queue: job.queue, rateLimit: { max: 1, perMs: 1_000 } };
    expect(() => queuesOf([job, limited])).toThrow(/expected one rate limit, got 2/);
  });
});
