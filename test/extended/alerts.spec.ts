import { freePort } from '../../scripts/postgres/free-port';
import { dashboard, panels, withoutVariables, type Panel } from '../support/dashboard';
import { startMonitoring, type Monitoring } from '../support/prometheus';
import { anEmail, TestSystem } from '../support/system';
import { until } from '../support/until';

const withinMs = 60_000;

/** The real processes, a real Prometheus and a real Alertmanager. Each fault is made, seen in a mail, and repaired. */
describe('Prometheus with the files of deploy', () => {
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

  /** @returns the figures of all queries of a panel, without those that cannot be computed yet */
  const figuresOf = async ({ targets }: Panel): Promise<number[]> => {
    const answers = targets.map(({ expr }) => monitoring.query(withoutVariables(expr, '1m')));
    return (await Promise.all(answers)).flat().filter(Number.isFinite);
  };

  const showsFigures = (title: string) =>
    until(
      `the panel "${title}" shows figures`,
      () => figuresOf(panels.find((panel) => panel.title === title)!),
      (figures) => figures.length > 0,
      withinMs,
    );

  it('fires no alert while all is well', async () => {
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

  it('has figures for the panels of the dashboard when jobs have been completed, have failed and are paused', async () => {
    const ended = (outcome: string) => monitoring.query(`sum(jobs_ended_total{outcome="${outcome}"}) or vector(0)`);
    // A rate needs two figures, and a series begins with its first count.
    for (const round of [1, 2]) {
      await system.post('/v1/emails', anEmail());
      await system.post('/v1/emails', { ...anEmail(), to: 'nobody@example.invalid' });
      await until(
        'Prometheus has seen how the emails ended',
        async () => [(await ended('completed'))[0]!, (await ended('failed'))[0]!],
        ([completed, failed]) => completed! > round && failed! >= round,
      );
    }
    await system.post('/v1/queues/email/pause', { reason: 'a test' });
    const { body: paused } = await system.post('/v1/emails', anEmail());

    const withFault = new Set([
      ...['Oldest due job', 'Lost leases', 'Fenced attempts and stale messages'],
      ...['Publish faults', 'Delivery faults', 'Database faults'],
    ]);
    for (const { title } of panels.filter((panel) => !withFault.has(panel.title))) await showsFigures(title);
    // Without figures, the others have an answer too.
    for (const panel of panels) await figuresOf(panel);
    for (const { target } of dashboard.annotations.list) await monitoring.query(target.expr);
    const offered = dashboard.templating.list.flatMap(({ query }) => {
      const asked = typeof query === 'object' ? /^label_values\((.+), (\w+)\)$/.exec(query.query) : null;
      return asked ? [monitoring.labelValues(withoutVariables(asked[1]!, '1m'), asked[2]!)] : [];
    });
    expect(await Promise.all(offered)).toEqual([['bullmq'], ['email.send']]);

    await system.post('/v1/queues/email/resume', {});
    await system.reaches(paused.id, 'completed');
  });

  it('mails that a process is dead, that a queue has no worker and that a job is too old, and that each is over', async () => {
    await system.end('email-worker', 'SIGKILL');
    await system.post('/v1/emails', anEmail());
    await seesMail(/FIRING.*ProcessDown/);
    await seesMail(/FIRING.*QueueWithoutWorker/);
    await seesMail(/FIRING.*OldestDueJobTooOld/);
    await showsFigures('Oldest due job');
    await system.launch('email-worker', 'email-worker', health('email-worker'));
    await seesMail(/RESOLVED.*ProcessDown/);
    await seesMail(/RESOLVED.*QueueWithoutWorker/);
    await seesMail(/RESOLVED.*OldestDueJobTooOld/);
  }, 300_000);
});
