import { freePort } from '../../scripts/postgres/free-port';
import { startMonitoring, type Monitoring } from '../support/prometheus';
import { anEmail, TestSystem } from '../support/system';
import { until } from '../support/until';

const withinMs = 60_000;

/** The real processes, a real Prometheus and a real Alertmanager. Each fault is made, seen in a mail, and repaired. */
describe('an alert', () => {
  let system: TestSystem;
  let monitoring: Monitoring;
  const ports: Record<string, string> = {};
  const health = (app: string) => ({ HEALTH_PORT: ports[app]! });

  beforeAll(async () => {
    for (const app of ['api', 'relay', 'email-worker']) ports[app] = String(await freePort());
    system = await TestSystem.start({ apps: [] });
    for (const app of Object.keys(ports)) await system.launch(app, app, health(app));
    monitoring = await startMonitoring(
      Object.values(ports).map((port) => `127.0.0.1:${port}`),
      { 'ledger_oldest_due_job_seconds) > 300': 'ledger_oldest_due_job_seconds) > 5' },
    );
  }, 120_000);

  afterAll(async () => {
    await monitoring.stop();
    await system.stop();
  });

  const seesMail = (subject: RegExp) =>
    until(
      `a mail ${subject}`,
      () => Promise.resolve(monitoring.mails),
      (mails) => mails.some((mail) => subject.test(mail)),
      withinMs,
    );

  it('is silent while all is well', async () => {
    const { body } = await system.post('/v1/emails', anEmail());
    await until(
      'it is sent',
      () => system.get(body.links.self),
      ({ body: { state } }) => state === 'completed',
    );
    const [targets] = await until(
      'all processes are scraped',
      () => monitoring.query('sum(up)'),
      ([up]) => up === 3,
    );
    expect(targets).toBe(3);
    expect(await monitoring.query('max(ledger_up)')).toEqual([1]);
    expect(monitoring.mails).toEqual([]);
  });

  it('tells by mail of a dead process, of a queue without a worker and of a job that is too old, and that each is over', async () => {
    await system.end('email-worker', 'SIGKILL');
    await system.post('/v1/emails', anEmail());
    await seesMail(/FIRING.*ProcessDown/);
    await seesMail(/FIRING.*QueueWithoutWorker/);
    await seesMail(/FIRING.*OldestDueJobTooOld/);
    await system.launch('email-worker', 'email-worker', health('email-worker'));
    await seesMail(/RESOLVED.*ProcessDown/);
    await seesMail(/RESOLVED.*QueueWithoutWorker/);
    await seesMail(/RESOLVED.*OldestDueJobTooOld/);
  }, 300_000);
});
