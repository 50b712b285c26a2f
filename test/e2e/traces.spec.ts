import { spawnSync } from 'node:child_process';
import { projectFolder } from '../support/postgres';
import { OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver';
import { anEmail, brokerOf, onEachBackend, TestSystem } from '../support/system';
import { until } from '../support/until';

const errorStatus = 2;

onEachBackend('traces', (backend) => {
  const receiver = new OtlpReceiver();
  let system: TestSystem;

  beforeAll(async () => {
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: await receiver.start(), OTEL_BSP_SCHEDULE_DELAY: '100' };
    system = await TestSystem.start({ backend, environment });
  });

  afterAll(async () => {
    await system.stop();
    await receiver.stop();
  });

  it('follow a job from the caller through each attempt, its dead letter and its redrive', async () => {
    const [traceId, callerSpan] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
    const secret = 'canary-6f1d';
    const email = { ...anEmail(), to: 'busy@example.invalid', subject: secret, text: secret };
    const headers = { traceparent: `00-${traceId}-${callerSpan}-01` };
    const { id } = (await system.post('/v1/emails', email, headers)).body;
    const { maxAttempts } = await system.reaches(id, 'failed');
    const [letter] = (await system.get('/v1/dead-letters?kind=email.send')).body.items;
    const redriven = await system.post(`/v1/dead-letters/${letter.id}/redrive`, {
      payload: { ...email, to: 'ada@example.com' },
    });
    expect(redriven.status).toBe(202);
    const { jobId: newId } = redriven.body;
    await system.reaches(newId, 'completed');

    const spans = await until(
      'the last span has arrived',
      () => Promise.resolve(receiver.spans.filter((span) => span.traceId === traceId)),
      (all) => all.some(({ attributes }) => attributes['job.state'] === 'completed'),
    );
    const jobSpans = (operation: string, job: string) =>
      spans
        .filter((span) => span.attributes['messaging.operation.name'] === operation)
        .filter((span) => span.attributes['messaging.message.id'] === job)
        .sort((one, other) => (BigInt(one.startTimeUnixNano) < BigInt(other.startTimeUnixNano) ? -1 : 1));

    const request = spans.find(({ parentSpanId }) => parentSpanId === callerSpan)!;
    expect(request).toMatchObject({ service: 'api', attributes: { 'http.request.method': 'POST' } });

    const sent = jobSpans('send', id);
    expect(sent.map(({ name, service, parentSpanId }) => [name, service, parentSpanId])).toEqual(
      Array(maxAttempts).fill(['send email', 'relay', request.spanId]),
    );

    const attempts = jobSpans('process', id);
    expect(attempts.map(({ attributes }) => attributes['job.attempt'])).toEqual(
      [...Array(maxAttempts).keys()].map((n) => n + 1),
    );
    const [first, ...later] = attempts as [ReceivedSpan, ...ReceivedSpan[]];
    expect(first.links).toEqual([]);
    for (const { links } of later) expect(links).toMatchObject([{ traceId, spanId: first.spanId }]);
    for (const span of attempts) {
      expect(span).toMatchObject({
        name: 'process email',
        service: 'email-worker',
        parentSpanId: request.spanId,
        status: { code: errorStatus },
        attributes: { 'messaging.system': brokerOf(backend), 'messaging.destination.name': 'email' },
      });
    }
    expect(attempts.at(-1)!.attributes).toMatchObject({ 'job.state': 'failed', 'error.type': 'attempts_exhausted' });

    const [again] = jobSpans('process', newId);
    expect(again).toMatchObject({ attributes: { 'job.state': 'completed' }, status: {} });
    const statements = spans.filter(({ parentSpanId }) => parentSpanId === again!.spanId);
    expect(statements.map(({ attributes }) => attributes['db.system.name'] ?? attributes['db.system'])).toContain(
      'postgresql',
    );

    const { body: trace } = await system.get(`/v1/jobs/${id}/trace`);
    expect(trace.traceId).toBe(traceId);
    expect(trace.spans.filter(({ state }: { state: string }) => state === 'active')).toMatchObject(
      attempts.map(({ attributes }) => ({
        attempt: attributes['job.attempt'],
        error: { code: attributes['error.type'] },
      })),
    );
    expect((await system.get(`/v1/jobs/${newId}/trace`)).body.traceId).toBe(traceId);

    expect(JSON.stringify(receiver.spans)).not.toContain(secret);
    expect(system.allOutput).not.toContain(secret);
  });

  it('leave out the relay that looks for work, the heartbeats, the probes and the queries of addresses', async () => {
    await system.get('/health/ready');
    await system.get('/v1/jobs?cursor=canary-77aa');
    await until(
      'the span of the last request has arrived',
      () => Promise.resolve(receiver.spans.map(({ attributes }) => attributes['url.path'])),
      (paths) => paths.includes('/v1/jobs'),
    );
    expect(JSON.stringify(receiver.spans)).not.toContain('canary-77aa');
    const own = receiver.spans.filter(({ parentSpanId }) => parentSpanId === undefined);
    expect(own.filter(({ service }) => service !== 'api')).toEqual([]);
    expect(own.map(({ attributes }) => attributes['url.path'])).not.toContain('/health/ready');
  });
});

it('are no reason to load the SDK in a process that has no address for them', () => {
  // It ends at once: it has no database.
  const load = `process.on('exit', () => process.stdout.write(Object.keys(require.cache).join()));
    require('./dist/apps/relay/src/main.js');`;
  const loadedWith = (environment: NodeJS.ProcessEnv) =>
    spawnSync(process.execPath, ['-e', load], { cwd: projectFolder, env: environment }).stdout.toString();
  expect(loadedWith({})).toContain('@opentelemetry/api/');
  expect(loadedWith({})).not.toMatch(/opentelemetry.(sdk|instrumentation|exporter)/);
  expect(loadedWith({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' })).toContain('instrumentation-pg');
});
