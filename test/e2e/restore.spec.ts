import { onServer } from '../support/postgres';
import { anEmail, onEachBackend, TestSystem } from '../support/system';
import { until } from '../support/until';

/**
 * PostgreSQL comes back as it was some time ago; Redis, RabbitMQ and Kafka have gone on. docs/restore.md tells what this
 * test sees.
 */
onEachBackend('a system whose PostgreSQL is restored from an older backup', (backend) => {
  let system: TestSystem;

  beforeAll(async () => {
    system = await TestSystem.start({ backend, apps: [] });
  });

  afterAll(() => system.stop());

  const name = () => new URL(system.databaseUrl).pathname.slice(1);
  const onOtherDatabase = (...statements: string[]) =>
    onServer(process.env['TEST_POSTGRES_URL']!, async (client) => {
      for (const statement of statements) await client.query(statement);
    });

  /** A copy of the database at this moment. No process may be connected. */
  const backUp = () =>
    onOtherDatabase(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name()}'`,
      `CREATE DATABASE ${name()}_backup TEMPLATE ${name()}`,
    );

  const restore = () =>
    onOtherDatabase(`DROP DATABASE ${name()} WITH (FORCE)`, `ALTER DATABASE ${name()}_backup RENAME TO ${name()}`);

  const launch = (...apps: string[]) => Promise.all(apps.map((app) => system.launch(app)));
  const endAll = async () => {
    for (const app of [...system.processes.keys()]) expect(await system.end(app, 'SIGTERM')).toBe(0);
  };

  const stateOf = async (id: string) => (await system.get(`/v1/jobs/${id}`)).body.state as string;
  const isSent = (id: string) =>
    until(
      `${id} is sent`,
      () => stateOf(id),
      (state) => state === 'completed',
      60_000,
    );

  /** Whom the restored mailbox has emails to, one entry for each email. */
  const sentTo = async () =>
    (
      await system.pool.query<{ recipient: string }>('SELECT recipient FROM mailbox_message ORDER BY recipient')
    ).rows.map(({ recipient }) => recipient);

  const isPublished = (id: string) =>
    until(
      `the message of ${id} is with the broker`,
      () => system.pool.query('SELECT FROM outbox WHERE job_id = $1', [id]),
      ({ rowCount }) => rowCount === 0,
      60_000,
    );

  it('forgets younger jobs, repeats what was open, and goes on', async () => {
    await launch('api', 'relay', 'email-worker');
    const done = await system.promised('/v1/emails', anEmail('done'));
    await isSent(done);
    // Its message is with the broker, and no worker takes it.
    expect(await system.end('email-worker', 'SIGTERM')).toBe(0);
    const open = await system.promised('/v1/emails', anEmail('open'));
    await isPublished(open);
    await endAll();
    await backUp();

    await launch('api', 'relay', 'email-worker');
    await isSent(open);
    const lost = await system.promised('/v1/emails', anEmail('lost'), 'key-of-the-lost-one');
    await isSent(lost);
    expect(await system.end('email-worker', 'SIGTERM')).toBe(0);
    const unknown = await system.promised('/v1/emails', anEmail('unknown'));
    await isPublished(unknown);
    await endAll();
    await restore();

    await launch('api', 'relay', 'email-worker');
    // Its message is gone: the reconciler misses it and dispatches the job again. The dedupe row is gone, too.
    await isSent(open);
    expect(await stateOf(done)).toBe('completed');
    expect(await sentTo()).toEqual(['userdone@example.com', 'useropen@example.com']);
    for (const id of [lost, unknown]) expect((await system.get(`/v1/jobs/${id}`)).status).toBe(404);

    // The message of an unknown job is dropped, and holds up nothing.
    const fresh = await system.promised('/v1/emails', anEmail('fresh'));
    await isSent(fresh);
    const again = await system.promised('/v1/emails', anEmail('lost'), 'key-of-the-lost-one');
    expect(again).not.toBe(lost);
    await isSent(again);
    expect(await system.jobsByState()).toEqual({ completed: 4 });
    expect(await sentTo()).toEqual(
      ['userdone', 'userfresh', 'userlost', 'useropen'].map((name) => `${name}@example.com`),
    );
    const { body } = await system.get('/v1/dead-letters');
    expect(body.items).toEqual([]);
  }, 240_000);
});
