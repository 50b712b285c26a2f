import { freePort } from '../../scripts/postgres/free-port';
import { anEmail, brokerOf, onEachBackend, TestSystem } from '../support/system';
import { until } from '../support/until';

/** The value of one series; undefined when it is missing. @param labels in any order */
function valueOf(text: string, name: string, labels: Record<string, string> = {}): number | undefined {
  const series = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  const found = series.find((line) =>
    Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`)),
  );
  return found === undefined ? undefined : Number(found.split(' ').at(-1));
}

onEachBackend(
  'metrics',
  (backend) => {
    const broker = brokerOf(backend);
    const kind = 'email.send';
    let system: TestSystem;
    let ports: { relay: number; 'email-worker': number };

    const read = async (app: keyof typeof ports, path = '/metrics') => {
      const response = await fetch(`http://127.0.0.1:${ports[app]}${path}`);
      return { status: response.status, text: await response.text() };
    };

    beforeAll(async () => {
      ports = { relay: await freePort(), 'email-worker': await freePort() };
      system = await TestSystem.start({ backend, apps: ['api'] });
      await Promise.all(
        (['relay', 'email-worker'] as const).map((app) => system.launch(app, app, { HEALTH_PORT: String(ports[app]) })),
      );
    });

    afterAll(() => system.stop());

    it('follow a job from its request to its end, and a repeated request', async () => {
      const key = { 'idempotency-key': 'one' };
      const { body } = await system.post('/v1/emails', anEmail(), key);
      expect((await system.post('/v1/emails', anEmail(), key)).body.id).toBe(body.id);
      await system.post('/v1/emails', { ...anEmail(), options: { delayMs: 3_600_000 } });
      await until(
        'the email is sent',
        async () => (await system.get(body.links.self)).body.state,
        (state) => state === 'completed',
      );

      const { body: api } = await system.get('/metrics');
      expect(valueOf(api, 'jobs_enqueued_total', { kind, broker })).toBe(2);
      expect(valueOf(api, 'jobs_replayed_total', { kind })).toBe(1);

      const worker = await until(
        'the worker has counted the end',
        async () => (await read('email-worker')).text,
        (text) => valueOf(text, 'jobs_ended_total', { kind, broker, outcome: 'completed' }) === 1,
      );
      expect(valueOf(worker, 'jobs_started_total', { kind, broker })).toBe(1);
      for (const name of ['job_schedule_to_start_seconds', 'job_run_seconds', 'job_end_to_end_seconds']) {
        expect([name, valueOf(worker, `${name}_count`, { kind, broker })]).toEqual([name, 1]);
        expect(valueOf(worker, `${name}_sum`, { kind, broker })).toBeLessThan(60);
      }
      expect(valueOf(worker, 'database_connections', { state: 'idle' })).toBeGreaterThan(0);
      expect(valueOf(worker, 'nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);

      const { text: relay } = await read('relay');
      expect(valueOf(relay, 'messages_published_total', { broker })).toBeGreaterThanOrEqual(1);
      expect(valueOf(relay, 'ledger_up')).toBe(1);
      expect(valueOf(relay, 'ledger_jobs', { kind, broker, state: 'scheduled' })).toBe(1);
      expect(valueOf(relay, 'ledger_jobs', { kind, broker, state: 'active' })).toBeUndefined();
      expect(valueOf(relay, 'ledger_outbox_messages', { broker, state: 'later' })).toBe(1);

      // Neither a tenant nor a job is a label: their number has no bound.
      for (const text of [api, worker, relay]) expect(text).not.toMatch(new RegExp(`"demo"|${body.id}`));
    });

    it('measure requests by the pattern of their route, and count open streams', async () => {
      const { body } = await system.post('/v1/emails', { ...anEmail(), options: { delayMs: 3_600_000 } });
      await system.get(body.links.self);
      await system.get('/v1/no-such-route');
      const ofJob = { method: 'GET', route: '/v1/jobs/:id', status: '200' };
      const requests = async (labels: Record<string, string>) =>
        valueOf((await system.get('/metrics')).body, 'http_request_seconds_count', labels) ?? 0;
      expect(await requests({ method: 'POST', route: '/v1/emails', status: '202' })).toBeGreaterThan(0);
      expect(await requests({ method: 'GET', route: 'none', status: '404' })).toBe(1);
      const before = await requests(ofJob);
      expect(before).toBeGreaterThan(0);

      const streams = async () => valueOf((await system.get('/metrics')).body, 'event_streams');
      expect(await streams()).toBe(0);
      const reader = new AbortController();
      await fetch(`${system.url()}/v1/jobs/${body.id}/events`, { signal: reader.signal });
      expect(await streams()).toBe(1);
      reader.abort();
      await until('the stream has ended', streams, (open) => open === 0);
      expect(await requests(ofJob)).toBe(before);
      expect(await requests({ route: '/v1/jobs/:id/events' })).toBe(0);
    });

    it('say how many messages the broker holds', async () => {
      await until(
        'the relay has asked the broker',
        async () => valueOf((await read('relay')).text, 'broker_queue_messages', { broker, queue: 'email' }),
        (messages) => messages === 0,
      );
    });

    it('say which queues have a worker', async () => {
      await until(
        'the worker has reported its queues',
        async () => valueOf((await read('relay')).text, 'ledger_queue_workers', { broker, queue: 'email' }),
        (workers) => workers === 1,
      );
    });

    it('are beside the health of the process, which names each dependency', async () => {
      const ready = JSON.parse((await read('email-worker', '/health/ready')).text);
      expect(ready).toMatchObject({ status: 'up' });
      expect(ready.dependencies).toEqual(
        expect.arrayContaining([
          { name: 'database', status: 'up' },
          { name: `${broker}: email`, status: 'up' },
        ]),
      );
      for (const path of ['/health/live', '/health/started', '/health/ready']) {
        expect([path, (await read('relay', path)).status]).toEqual([path, 200]);
      }
      expect((await read('relay', '/else')).status).toBe(404);
    });

    it('end the start of a process whose HEALTH_PORT is taken with one sentence', async () => {
      const start = system.launch('email-worker', 'second', { HEALTH_PORT: String(ports.relay) });
      await expect(start).rejects.toThrow(`HEALTH_PORT: expected a port that is free, got ${ports.relay}`);
    });
  },
  ['bullmq-postgres', 'rabbitmq'],
);
