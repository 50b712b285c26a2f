import { startRabbitmq } from '../../scripts/brokers/rabbitmq';
import { TestSystem } from '../support/system';
import { until } from '../support/until';

describe('GET /v1/brokers', () => {
  let system: TestSystem;

  it('shows a queue as down when its workers may not read it, and its broker as up', async () => {
    const own = await startRabbitmq();
    try {
      system = await TestSystem.start({ apps: ['api', 'relay'], environment: { RABBITMQ_URL: own.url } });
      const is = (state: string, why = /^/) =>
        until(
          `the queue is ${state}`,
          async () => {
            const found = (await system.get('/v1/brokers')).body.items.find(({ name }: any) => name === 'rabbitmq');
            return { ...found.queues.find(({ name }: any) => name === 'email'), broker: found.state };
          },
          (queue) => queue.state === state && why.test(queue.reason ?? ''),
        );
      expect(await is('no_worker')).toMatchObject({ broker: 'up', reason: expect.stringContaining('No worker') });
      await own.control('add_user', 'worker', 'secret');
      const mayRead = (what: string) => own.control('set_permissions', 'worker', '.*', '.*', what);
      await mayRead('^(?!.*email$)');
      const url = new URL(own.url);
      [url.username, url.password] = ['worker', 'secret'];
      await system.launch('email-worker', 'email-worker', { RABBITMQ_URL: url.href });
      const down = await is('down', /^1 of 1 workers cannot take messages from this queue: .*ACCESS[_-]REFUSED/);
      expect(down).toMatchObject({ broker: 'up' });
      expect(down.reason).not.toContain('secret');
      await mayRead('.*');
      expect(await is('up')).not.toHaveProperty('reason');
      await system.end('email-worker', 'SIGTERM');
      await is('no_worker');
    } finally {
      await system.stop();
      await own.stop();
    }
  });
});
