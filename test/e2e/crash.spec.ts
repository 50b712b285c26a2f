import { setTimeout as delay } from 'node:timers/promises';
import { Load } from '../support/load';
import { onEachBackend, TestSystem } from '../support/system';
import { until } from '../support/until';

onEachBackend('SIGKILL at any moment loses nothing', (backend) => {
  let system: TestSystem;

  beforeEach(async () => {
    // Without the reconciler, which would make up for an outbox that loses rows.
    system = await TestSystem.start({ backend, environment: { RECONCILE_MS: '600000' } });
  });

  afterEach(() => system.stop());

  it.each(['api', 'relay', 'email-worker'])('%s, again and again under load', async (app) => {
    const load = new Load(system);
    for (let kill = 0; kill < 4; kill += 1) {
      await delay(150 + Math.random() * 300); // The moment of the kill is the point: anywhere in the load.
      await system.end(app, 'SIGKILL');
      await system.launch(app);
    }
    await until(
      'enough was promised',
      () => Promise.resolve(load.accepted.size),
      (size) => size > 20,
    );
    const accepted = await load.stop();

    await until(
      'every promised job is completed',
      () => system.jobsByState(),
      (states) => states['completed'] === accepted.size && Object.keys(states).length === 1,
      90_000,
    );
    // Killed between the effect and its settlement, a worker leaves a second copy, under the same Message-ID.
    const effects = await system.effects();
    expect([...effects.keys()].sort()).toEqual([...accepted].map((id) => `<${id}@example.com>`).sort());
    const copies = [...effects.values()].reduce((sum, count) => sum + count - 1, 0);
    const inFlightAtKill = app === 'email-worker' ? 4 * 20 : 0;
    expect(copies).toBeLessThanOrEqual(inFlightAtKill);
    expect((await system.pool.query('SELECT count(*)::int AS rows FROM outbox')).rows).toEqual([{ rows: 0 }]);
  });

  it('a worker on SIGTERM ends what it has begun, exits with 0, and what waits is done by the next', async () => {
    const load = new Load(system);
    await until(
      'work is going on',
      () => system.effects(),
      ({ size }) => size > 5,
    );
    expect(await system.end('email-worker', 'SIGTERM')).toBe(0);
    const atExit = await system.jobsByState();
    expect(atExit['active']).toBeUndefined();
    await system.launch('email-worker');
    const accepted = await load.stop();
    await until(
      'all are completed',
      () => system.jobsByState(),
      ({ completed }) => completed === accepted.size,
    );
    const effects = await system.effects();
    expect([...effects.values()].every((copies) => copies === 1)).toBe(true);
  });

  it('a frozen worker loses its jobs to another, and changes nothing when it wakes', async () => {
    await system.launch('email-worker', 'email-worker-2');
    const load = new Load(system);
    await until(
      'work is going on',
      () => system.effects(),
      ({ size }) => size > 5,
    );
    system.processes.get('email-worker')!.kill('SIGSTOP');
    await delay(500);
    const accepted = await load.stop();
    await until(
      'the other has done it all',
      () => system.jobsByState(),
      ({ completed }) => completed === accepted.size,
      60_000,
    );
    system.processes.get('email-worker')!.kill('SIGCONT');
    await system.end('email-worker', 'SIGTERM');
    expect(await system.jobsByState()).toEqual({ completed: accepted.size });
    const { rows } = await system.pool.query(
      `SELECT job_id FROM job_event WHERE data->>'state' = 'completed' GROUP BY job_id HAVING count(*) > 1`,
    );
    expect(rows).toEqual([]);
  });
});
