import { setTimeout as delay } from 'node:timers/promises';
import { Load } from '../support/load';
import { onEachBackend, TestSystem } from '../support/system';
import { until } from '../support/until';

const apps = ['api', 'relay', 'email-worker'] as const;
const kills = 3;

onEachBackend('a system whose processes are killed or frozen', (backend) => {
  let system: TestSystem;
  /** All jobs accepted so far. */
  let promised: ReadonlySet<string>;

  beforeAll(async () => {
    // The reconciler is off, because it would hide an outbox that loses rows.
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

  it('loses no accepted job when every process is killed again and again under load', async () => {
    const load = new Load(system, 4);
    // The kills happen at random moments: under load, and while other processes recover.
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

    // A worker that is killed between the effect and its settlement leaves a second copy under the same Message-ID.
    const effects = await system.effects();
    expect([...effects.keys()].sort()).toEqual([...accepted].map((id) => `<${id}@example.com>`).sort());
    const copies = [...effects.values()].reduce((sum, count) => sum + count - 1, 0);
    const inFlightAtKill = 20;
    expect(copies).toBeLessThanOrEqual(kills * inFlightAtKill);
    expect((await system.pool.query('SELECT count(*)::int AS rows FROM outbox')).rows).toEqual([{ rows: 0 }]);
  });

  it('finishes running jobs when a worker gets SIGTERM; the worker exits with 0, and the next one runs the other jobs', async () => {
    // A lease that a stall of the machine outlasts would send an email twice, and not because of SIGTERM.
    const longLease = { LEASE_MS: '30000' };
    await system.end('email-worker', 'SIGTERM');
    await system.launch('email-worker', 'email-worker', longLease);
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
    await system.launch('email-worker', 'email-worker', longLease);
    const accepted = await load.stop();
    await allCompleted(accepted);
    const effects = await system.effects();
    const copies = [...accepted].map((id) => ({ id, copies: effects.get(`<${id}@example.com>`) }));
    expect(copies.filter(({ copies }) => copies !== 1)).toEqual([]);
  });

  it('gives the jobs of a frozen worker to another, and the frozen one changes nothing when it resumes', async () => {
    await system.end('email-worker', 'SIGTERM');
    await system.launch('email-worker');
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
      `SELECT job_id FROM job_update WHERE data->>'state' = 'completed' GROUP BY job_id HAVING count(*) > 1`,
    );
    expect(rows).toEqual([]);
  });
});
