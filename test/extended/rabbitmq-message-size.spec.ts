import { connect } from 'amqplib';
import type { PartlyPublished } from '@app/messaging';
import { RabbitmqDriver } from '@app/messaging/rabbitmq';
import { rabbitmq, startRabbitmq, type RunningRabbitmq } from '../../scripts/brokers/rabbitmq';
import { until } from '../support/until';

(rabbitmq.isInstalled() ? describe : describe.skip)('a RabbitMQ with a small limit for messages', () => {
  let broker: RunningRabbitmq;

  beforeAll(async () => {
    broker = await startRabbitmq();
    await broker.control('eval', 'application:set_env(rabbit, max_message_size, 5000).');
  });

  afterAll(() => broker.stop());

  it('refuses a large message, which the driver names, and the driver publishes the others', async () => {
    const events = [{ kind: 'work.happened', subscribers: ['ada'], partitions: 1 }];
    const driver = await RabbitmqDriver.connect({ url: broker.url, prefix: '' }, 'test', { queues: [], events });
    await driver.ready();
    const event = (n: number, bytes: number) => ({
      id: `019e0000-0000-7000-8000-${String(n).padStart(12, '0')}`,
      kind: 'work.happened',
      version: 1,
      tenant: 'test',
      key: null,
      at: new Date(),
      traceparent: null,
      data: 'x'.repeat(bytes),
    });
    let batch = Array.from({ length: 10 }, (_, n) => event(n, n === 6 ? 10_000 : 100));
    const failure = (await driver.publishEvents(batch).catch((error: unknown) => error)) as PartlyPublished;
    expect(failure).toMatchObject({ code: 'partly_published' });
    expect([...failure.refused]).toEqual([[6, expect.stringContaining('larger than')]]);

    // Removes confirmed and refused messages, as the relay does.
    batch = batch.filter((_, place) => !failure.confirmed.has(place) && !failure.refused.has(place));
    await until(
      'the others are published',
      () =>
        driver.publishEvents(batch).then(
          () => 'published',
          (error: unknown) => (error as Error).message,
        ),
      (answer) => answer === 'published',
    );
    const connection = await connect(broker.url);
    const channel = await connection.createChannel();
    const ids = new Set<string>();
    for (let found = await channel.get('work.happened.ada'); found; found = await channel.get('work.happened.ada')) {
      ids.add((JSON.parse(found.content.toString()) as { id: string }).id);
    }
    expect(ids.size).toBe(9);
    await connection.close();
    await driver.close();
  });
});
