import { done, queuesOf } from '@app/messaging';
import { rabbitmq, startRabbitmq, type RunningRabbitmq } from '../../scripts/brokers/rabbitmq';
import { rabbitmqHarness } from '../conformance/harness/rabbitmq';
import { startCore, type Core } from '../support/core';
import { gate } from '../support/gate';
import { plainJob } from '../support/plain-job';
import { until } from '../support/until';

(rabbitmq.isInstalled() ? describe : describe.skip)('a RabbitMQ with a memory alarm', () => {
  let broker: RunningRabbitmq;
  let core: Core | undefined;

  beforeAll(async () => {
    broker = await startRabbitmq();
  });

  afterEach(async () => {
    await broker.control('set_vm_memory_high_watermark', '0.4');
    await core?.close();
  });

  afterAll(() => broker.stop());

  it('receives the acknowledgements of all jobs, while the relay asks workers for their messages in flight', async () => {
    const jobs = 200;
    const job = plainJob({ concurrency: 5 });
    const doors = gate();
    core = await startCore([[job, async () => (await doors.passed, done({ n: 1 }))]], {
      harness: rabbitmqHarness(broker.url),
      worker: false,
      reconcileMs: 50,
    });
    await Promise.all(Array.from({ length: jobs }, (_, n) => core!.enqueue(job, { n })));
    await until(
      'all are on the queue',
      () => core!.driver.depth(job.queue).catch(() => 0),
      (depth) => depth === jobs,
    );
    await broker.control('set_vm_memory_high_watermark', 'absolute', '1MB');
    // A publish during the alarm makes RabbitMQ block its connection.
    const refused = core.next('publish_failed');
    await core.enqueue(job, { n: jobs });
    await refused;
    const claimed = core.next('claimed');
    await core.worker.start();
    await claimed;
    // The first request of a new connection gets through, and the worker answers it.
    const asking = await core.broker.connect('publish', { queues: queuesOf([job]), events: [] });
    expect(await asking.depth(job.queue)).toBe(jobs);
    await asking.close();
    doors.open();
    const count = async (state: string) =>
      (await core!.pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM job WHERE state = $1::job_state`, [state]))
        .rows[0]!.n;
    await until(
      'all are completed',
      () => count('completed'),
      (completed) => completed === jobs,
      30_000,
    );
    // The request has a deadline, and no other request waits for it.
    const askedAt = performance.now();
    for (let n = 0; n < 20; n += 1) {
      await expect(core.driver.depth(job.queue)).rejects.toMatchObject({ code: 'broker_unavailable' });
    }
    expect(performance.now() - askedAt).toBeLessThan(10_000);

    await broker.control('set_vm_memory_high_watermark', '0.4');
    await until(
      'the last one, after the alarm',
      () => count('completed'),
      (completed) => completed === jobs + 1,
    );
    await until(
      'nothing is left',
      () => core!.driver.depth(job.queue).catch(() => -1),
      (depth) => depth === 0,
    );
  });
});
