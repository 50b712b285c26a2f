import { Load } from '../support/load';
import { jobBrokers, TestSystem, type Broker } from '../support/system';
import { until } from '../support/until';

const { TEST_RABBITMQ_URL: RABBITMQ_URL, TEST_KAFKA_BROKERS: KAFKA_BROKERS } = process.env;
const withAllBrokers = RABBITMQ_URL && KAFKA_BROKERS ? describe : describe.skip;

const backlog = 1_000;

withAllBrokers('a kind of job that changes its broker', () => {
  let system: TestSystem;

  beforeEach(async () => {
    // No worker dies here: a worker that is slow for a moment keeps its jobs.
    const environment = { RABBITMQ_URL, KAFKA_BROKERS, LEASE_MS: '15000' };
    system = await TestSystem.start({ apps: ['api', 'relay'], environment });
  });

  afterEach(() => system.stop());

  /** Moves the kind as an operator does: sets one variable and restarts the processes that read it. */
  async function moveTo(broker: Broker): Promise<void> {
    for (const app of ['api', 'relay']) {
      expect(await system.end(app, 'SIGTERM')).toBe(0);
      await system.launch(app, app, { JOB_BROKERS: jobBrokers(broker) });
    }
  }

  const count = async (what: string): Promise<Record<string, number>> => {
    const { rows } = await system.pool.query<{ what: string; jobs: number }>(
      `SELECT ${what} AS what, count(*)::int AS jobs FROM job GROUP BY what`,
    );
    return Object.fromEntries(rows.map((row) => [row.what, row.jobs]));
  };

  it('loses no job and runs none twice when it moves to a second broker, to a third and back, with 1,000 jobs accepted before', async () => {
    const load = new Load(system, 16);
    await until(
      '1,000 jobs wait for a worker that is not there yet',
      () => Promise.resolve(load.accepted.size),
      (accepted) => accepted >= backlog,
      120_000,
    );
    await system.launch('email-worker');
    await until(
      'it works on them',
      () => system.effects(),
      ({ size }) => size > 0,
    );

    // Jobs of one broker are still in flight while jobs of the next broker arrive.
    for (const broker of ['rabbitmq', 'kafka', 'bullmq'] as const) {
      await moveTo(broker);
      const before = load.accepted.size;
      await until(
        `more are promised by ${broker}`,
        () => Promise.resolve(load.accepted.size),
        (accepted) => accepted >= before + 100,
        60_000,
      );
    }
    const accepted = await load.stop();
    await until(
      'every promised job is completed',
      () => system.jobsByState(),
      (states) => states['completed'] === accepted.size && Object.keys(states).length === 1,
      120_000,
    );

    const effects = await system.effects();
    expect([...effects.keys()].sort()).toEqual([...accepted].map((id) => `<${id}@example.com>`).sort());
    expect([...effects.values()].filter((copies) => copies !== 1)).toEqual([]);
    expect(await count('attempt')).toEqual({ 1: accepted.size });
    const byBroker = await count('broker');
    expect(byBroker).toEqual({ bullmq: expect.any(Number), rabbitmq: expect.any(Number), kafka: expect.any(Number) });
    expect(byBroker['rabbitmq']).toBeGreaterThanOrEqual(100);
    expect(byBroker['kafka']).toBeGreaterThanOrEqual(100);
    expect(byBroker['bullmq']).toBeGreaterThanOrEqual(backlog + 100);
    // No broker has a message left.
    await until(
      'all brokers are empty',
      async () => (await system.get('/v1/brokers')).body.items,
      (brokers: { state: string; queues: { depth: number }[] }[]) =>
        brokers.every(({ state, queues }) => state === 'up' && queues.every(({ depth }) => depth === 0)),
    );
  });
});
