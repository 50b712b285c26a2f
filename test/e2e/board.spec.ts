import { randomUUID } from 'node:crypto';
import { appRoutes } from '@bull-board/api/dist/routes.js';
import { createPostgresBackend, withBackend, Worker, type Queue } from 'bullmq';
import { jobDefinitions } from '@app/features/catalogue';
import { plainQueue } from '../support/foreign/with-bullmq';
import { apiKeys, bearer, keys } from '../support/keys';
import { anEmail, TestSystem, type Answer, type Backend } from '../support/system';
import { until } from '../support/until';

const onBullmq: readonly (readonly [Backend, boolean])[] = [
  ['bullmq-postgres', true],
  ['bullmq-redis', process.env['TEST_REDIS_URL'] !== undefined],
];

const secret = 'payload-7c41f0';

const pathsOf = (queue: string, id: string): string[] =>
  appRoutes.api
    .filter(({ method }) => method === 'get')
    .map(({ route }) => String(route).replace(':queueName', queue).replace(':jobId', encodeURIComponent(id)))
    .map((path) => `/admin/queues${path}`);

const states = ['latest', 'active', 'waiting', 'prioritized', 'completed', 'failed', 'delayed'];

for (const [backend, isThere] of onBullmq) {
  (isThere ? describe : describe.skip)(`the board on ${backend}`, () => {
    let system: TestSystem;
    let queue: Queue;

    beforeAll(async () => {
      system = await TestSystem.start({
        backend,
        apps: ['api', 'relay'],
        environment: { API_KEYS: apiKeys.join(',') },
      });
      queue = plainQueue('email', system.brokerSettings);
    });

    afterAll(async () => {
      await queue.close();
      await system.stop();
    });

    const look = (path: string, key: string = keys.viewer): Promise<Answer> =>
      system.request(path, { headers: bearer(key) });

    const row = async (name: string, query: string): Promise<any> => {
      const { status, body } = await look(`/admin/queues/api/queues?activeQueue=${name}&${query}`);
      expect(status).toBe(200);
      return body.queues.find((one: any) => one.name === name);
    };

    /** All output of the board about one queue and one of its jobs. */
    async function allOutput(name: string, id: string): Promise<string> {
      const paths = pathsOf(name, id);
      expect(paths.length).toBeGreaterThan(8);
      const lists = states.map(
        (state) => `/admin/queues/api/queues?activeQueue=${name}&status=${state}&jobsPerPage=50`,
      );
      const trees = [`/admin/queues/api/queues/${name}/${id}/flow?root=node&depth=5`];
      const answers = await Promise.all([...paths, ...lists, ...trees].map((path) => look(path)));
      expect(answers.map(({ status }) => status)).not.toContain(500);
      return JSON.stringify(answers.map(({ body }) => body));
    }

    /** Messages of another service that uses the same queue. */
    async function handleOne(work: () => Promise<unknown>): Promise<void> {
      const { REDIS_URL: url, BULLMQ_PREFIX: prefix, DATABASE_URL: connectionString } = system.brokerSettings;
      const connection = url === undefined ? { connectionString, schema: 'bullmq' } : { url };
      const Plain =
        url === undefined ? (withBackend(createPostgresBackend).Worker as unknown as typeof Worker) : Worker;
      const worker = new Plain('email', work, { connection: connection, prefix });
      try {
        await new Promise<void>((resolve) => {
          worker.once('completed', () => resolve());
          worker.once('failed', () => resolve());
        });
      } finally {
        await worker.close();
      }
    }

    it('shows nothing that another service has written into a message', async () => {
      const job = await queue.add(secret, { to: secret, text: secret }, { delay: 3_600_000, jobId: 'theirs-1' });
      await job.log(secret);
      await job.updateProgress({ note: secret });
      await queue.upsertJobScheduler('nightly', { every: 3_600_000 }, { name: secret, data: { text: secret } });
      await queue.add('email.send', { to: secret }, { jobId: 'theirs-2', priority: 1 });
      await handleOne(() => Promise.resolve({ text: secret }));
      await queue.add('email.send', { to: secret }, { jobId: 'theirs-3', priority: 1 });
      await handleOne(() => Promise.reject(new Error(secret)));
      await queue.add('email.send', { to: secret }, { jobId: 'theirs-4', priority: 3 });
      const shown = await row('email', 'status=latest&jobsPerPage=50');
      const ids = shown.jobs.map(({ id }: any) => id);
      for (const id of ['theirs-1', 'theirs-2', 'theirs-3', 'theirs-4']) {
        expect(ids).toContain(id);
        expect(await allOutput('email', id)).not.toContain(secret);
      }
      const failed = shown.jobs.find(({ id }: any) => id === 'theirs-3');
      expect(failed).toMatchObject({ isFailed: true, data: { bytes: expect.any(Number) }, stacktrace: [] });
      await queue.obliterate({ force: true });
    });

    it('shows neither the payload of a job nor its result and progress', async () => {
      const headers = bearer(keys.user);
      const { id } = (
        await system.post('/v1/emails', { ...anEmail(), text: secret, options: { delayMs: 3.6e6 } }, headers)
      ).body;
      const error = JSON.stringify({ code: 'attempts_exhausted', message: `550 ${secret}` });
      await system.pool.query(
        `WITH ended AS (UPDATE job SET state = 'failed', error = $2, result = $3, order_key = $4, order_position = 1,
                                       progress_note = $4, sequence = sequence + 2 WHERE id = $1 RETURNING *)
         INSERT INTO job_update (tenant, job_id, sequence, type, data)
         SELECT tenant, id, sequence - 1, 'progress', jsonb_build_object('percent', 5, 'note', $4::text) FROM ended
          UNION ALL
         SELECT tenant, id, sequence, 'state', jsonb_build_object('state', 'failed', 'error', error) FROM ended`,
        [id, error, JSON.stringify({ text: secret }), secret],
      );
      const said = await allOutput('email.send', id);
      expect(said).toContain('attempts_exhausted');
      expect(said).not.toContain(secret);
    });

    it('shows a message of the relay with a link to its job', async () => {
      const { id } = (await system.post('/v1/emails', anEmail(), bearer(keys.user))).body;
      const shown = await until(
        'the message is there',
        () => row('email', 'status=prioritized&jobsPerPage=10'),
        ({ jobs }) => jobs.length > 0,
      );
      expect(shown.jobs[0]).toMatchObject({
        id: `${id}-1`,
        name: 'email.send',
        data: { job: id, dispatch: 1 },
        externalUrl: { href: `/admin/queues/queue/email.send/${id}` },
      });
    });

    it('reads only the size of a large message', async () => {
      const text = 'x'.repeat(5_000_000);
      for (let n = 0; n < 3; n += 1) await queue.add('email.send', { text }, { jobId: `large-${n}`, delay: 3_600_000 });
      const answer = await look('/admin/queues/api/queues?activeQueue=email&status=delayed&jobsPerPage=50');
      expect(JSON.stringify(answer.body).length).toBeLessThan(50_000);
      const shown = answer.body.queues.find(({ name }: any) => name === 'email').jobs;
      expect(shown.map(({ data }: any) => data.bytes > 1_000)).toEqual([true, true, true]);
      for (let n = 0; n < 3; n += 1) await queue.remove(`large-${n}`);
    });

    it('shows at most 100 rows, whatever page and size are requested', async () => {
      const jobs = Array.from({ length: 130 }, (_, n) => ({
        name: 'email.send',
        data: {},
        opts: { delay: 3_600_000, jobId: `many-${n}` },
      }));
      await queue.addBulk(jobs);
      expect((await row('email', 'status=delayed&jobsPerPage=100000')).jobs).toHaveLength(100);
      expect((await row('email', 'status=delayed&jobsPerPage=100000&page=2')).jobs).toHaveLength(30);
      await system.pool.query(
        `INSERT INTO job (id, tenant, kind, version, queue, broker, state, priority, max_attempts, run_at, payload)
         SELECT gen_random_uuid(), 'shop', 'sms.send', 1, 'sms', 'bullmq', 'failed', 2, 1, now(), '{}'
           FROM generate_series(1, 130)`,
      );
      expect((await row('sms.send', 'status=failed&jobsPerPage=100000')).jobs).toHaveLength(100);
      for (const page of ['2000000', '9007199254740991', '1e300', '99999999999999999999999999']) {
        for (const name of ['sms.send', 'email']) {
          const query = `activeQueue=${name}&status=failed&jobsPerPage=100&page=${page}`;
          const { status, body } = await look(`/admin/queues/api/queues?${query}`);
          expect([200, 400]).toContain(status);
          if (status === 200) expect(body.queues.find((one: any) => one.name === name).jobs).toEqual([]);
        }
      }
    });

    it('says for each row whether it shows jobs or messages', async () => {
      const { body } = await look('/admin/queues/api/queues');
      const described = new Map(body.queues.map((one: any) => [one.name, one]));
      for (const { kind, queue: name } of jobDefinitions) {
        expect(described.get(kind)).toMatchObject({ displayName: kind, description: expect.stringMatching(/^Jobs: /) });
        expect(described.get(name)).toMatchObject({
          displayName: `${name} (messages in BullMQ)`,
          description: expect.stringMatching(new RegExp(`^Messages, not jobs: .*${kind}`)),
        });
      }
    });
  });
}

describe('the counts of the board', () => {
  let system: TestSystem;

  beforeAll(async () => {
    system = await TestSystem.start({ apps: ['api'], environment: { API_KEYS: apiKeys.join(',') } });
  });

  afterAll(() => system.stop());

  const insert = (count: number, state: string, runAt: string, tenant = 'shop') =>
    system.pool.query(
      `INSERT INTO job (id, tenant, kind, version, queue, broker, state, priority, max_attempts, run_at, payload, lease_until)
       SELECT gen_random_uuid(), $4, 'sms.send', 1, 'sms', 'bullmq', $2::job_state, 2, 1, now() + $3::interval, '{}',
              CASE WHEN $2 = 'active' THEN now() + interval '1 hour' END
         FROM generate_series(1, $1)`,
      [count, state, runAt, tenant],
    );

  const look = async (query = ''): Promise<any> => {
    const { body } = await system.request(`/admin/queues/api/queues?${query}`, { headers: bearer(keys.viewer) });
    return body.queues?.find(({ name }: any) => name === 'sms.send');
  };

  it('go up to 10,000 per state, independent of the other states', async () => {
    await insert(7, 'completed', '-2 days');
    await insert(6, 'cancelled', '-2 days', 'rival');
    await insert(5, 'failed', '-2 days');
    await insert(4, 'waiting', '-1 second');
    await insert(3, 'active', '-1 second', 'rival');
    await insert(25, 'queued', '-1 second');
    await insert(6_000, 'queued', '1 day');
    await insert(6_000, 'queued', '1 day', 'rival');
    const wanted = { active: 3, waiting: 25, 'waiting-children': 4, delayed: 10_000, completed: 13, failed: 5 };
    const seen = await until('the counts are there', look, ({ counts }) => counts.delayed === 10_000);
    expect(seen.counts).toEqual(wanted);
    for (const [status, count] of Object.entries({ ...wanted, delayed: 100 })) {
      const { jobs } = await look(`activeQueue=sms.send&status=${status}&jobsPerPage=100`);
      expect([status, jobs.length]).toEqual([status, count]);
    }
    // These jobs are newer than all others. The finished jobs are still found.
    await insert(11_000, 'queued', '-1 second', randomUUID().slice(0, 8));
    const later = await until('they are counted', look, ({ counts }) => counts.waiting > 25);
    expect(later.counts).toEqual({ ...wanted, waiting: 10_000 });
  });

  it('are read once for many viewers', async () => {
    await system.pool.query(
      'SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)',
    );
    // Longer than the counts are cached, so that they are read at least once.
    let looks = 0;
    for (const end = performance.now() + 2_500; performance.now() < end; looks += 30) {
      await Promise.all(Array.from({ length: 30 }, () => look('activeQueue=sms.send&status=waiting')));
    }
    const { rows } = await system.pool.query<{ calls: number }>(
      `SELECT calls::int FROM pg_stat_statements WHERE query LIKE '%enum_range%'
          AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    const calls = rows.reduce((sum, row) => sum + row.calls, 0);
    expect(calls).toBeGreaterThan(0);
    expect(calls).toBeLessThan(looks / 5);
  });

  it('get the answer 503 when the database is too slow, and other requests are not delayed', async () => {
    await look();
    const { rows } = await system.pool.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'api board' AND datname = current_database()`,
    );
    expect([1, 2]).toContain(rows.length);
    for (const { pid } of rows) process.kill(pid, 'SIGSTOP');
    try {
      const board = until(
        'the board says that it cannot',
        () => system.request('/admin/queues/api/queues', { headers: bearer(keys.viewer) }),
        ({ status }) => status !== 200,
      );
      for (let n = 0; n < 20; n += 1) {
        expect((await system.post('/v1/emails', anEmail(n), bearer(keys.user))).status).toBe(202);
      }
      expect(await board).toMatchObject({ status: 503, body: { code: 'database_unavailable' } });
    } finally {
      for (const { pid } of rows) process.kill(pid, 'SIGCONT');
    }
    await until('the board answers again', look, (sms) => sms !== undefined);
  });
});
