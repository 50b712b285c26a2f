import { setTimeout as delay } from 'node:timers/promises';
import { Load } from '../support/load';
import { onEachBackend, TestSystem } from '../support/system';
import { until } from '../support/until';

const apps = ['api', 'relay', 'email-worker'] as const;
const kills = 3;

onEachBackend('SIGKILL at any moment loses nothing', (backend) => {
  let system: TestSystem;
  /** Every job that was promised so far. */
  let promised: ReadonlySet<string>;

  beforeAll(async () => {
    // Without the reconciler, which would make up for an outbox that loses rows.
    system = await TestSystem.start({ backend, environment: { RECONCILE_MS: '600000' } });
    promised = new Set();
  });

  afterAll(() => system.stop());

  async function allCompleted(accepted: ReadonlySet<string>): Promise<void> {
    promised = new Set([...promised, ...accepted]);
    await until(
      'every promised job is completed, and there is no other',
      () => system.jobsByState(),
      (states) => states['completed'] === promised.size && Object.keys(states).length === 1,
      90_000,
    );
  }

  it('every process, again and again, under load', async () => {
    const load = new Load(system, 4);
    // The moments are the point: anywhere in the load, and in what the others do to come back.
    await Promise.all(
      apps.map(async (app) => {
        for (let kill = 0; kill < kills; kill += 1) {
          await delay(150 + Math.random() * 600);
          await system.end(app, 'SIGKILL');
          await system.launch(app);
        }
      }),
    );
    await until(
      'enough was promised',
      () => Promise.resolve(load.accepted.size),
      (size) => size > 20,
    );
    const accepted = await load.stop();
    await allCompleted(accepted);

    // Killed between the effect and its settlement, a worker leaves a second copy, under the same Message-ID.
    const effects = await system.effects();
    expect([...effects.keys()].sort()).toEqual([...accepted].map((id) => `<${id}@example.com>`).sort());
    const copies = [...effects.values()].reduce((sum, count) => sum + count - 1, 0);
    const inFlightAtKill = 20;
    expect(copies).toBeLessThanOrEqual(kills * inFlightAtKill);
    expect((await system.pool.query('SELECT count(*)::int AS rows FROM outbox')).rows).toEqual([{ rows: 0 }]);
  });

  it('a worker on SIGTERM ends what it has begun, exits with 0, and what waits is done by the next', async () => {
    const before = await system.effects();
    const load = new Load(system, 4);
    await until(
      'work is going on',
      () => system.effects(),
      ({ size }) => size > before.size + 5,
    );
    expect(await system.end('email-worker', 'SIGTERM')).toBe(0);
    const atExit = await system.jobsByState();
    expect(atExit['active']).toBeUndefined();
    await system.launch('email-worker');
    const accepted = await load.stop();
    await allCompleted(accepted);
    const effects = await system.effects();
    expect([...accepted].filter((id) => effects.get(`<${id}@example.com>`) !== 1)).toEqual([]);
  });

  it('a frozen worker loses its jobs to another, and changes nothing when it wakes', async () => {
    await system.launch('email-worker', 'email-worker-2');
    const before = await system.effects();
    const load = new Load(system, 4);
    await until(
      'work is going on',
      () => system.effects(),
      ({ size }) => size > before.size + 5,
    );
    system.processes.get('email-worker')!.kill('SIGSTOP');
    await delay(500);
    await allCompleted(await load.stop());
    system.processes.get('email-worker')!.kill('SIGCONT');
    await system.end('email-worker', 'SIGTERM');
    expect(await system.jobsByState()).toEqual({ completed: promised.size });
    const { rows } = await system.pool.query(
      `SELECT job_id FROM job_event WHERE data->>'state' = 'completed' GROUP BY job_id HAVING count(*) > 1`,
    );
    expect(rows).toEqual([]);
  });
});
