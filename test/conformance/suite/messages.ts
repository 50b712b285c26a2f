import { done, encodeMessage, traceContext } from '@app/messaging';
import { plainJob } from '../../support/plain-job';
import { until } from '../../support/until';
import type { Suite } from '../conformance';

/** Messages on the queue, from our relay and from other services. */
export function messages({ harness, scenario, start }: Suite): void {
  const event = {
    specversion: '1.0',
    id: 'order-4711',
    source: 'https://shop.example.com/orders',
  };

  scenario('sets-aside-what-it-cannot-read', async () => {
    const job = plainJob();
    const core = await start([[job, () => Promise.resolve(done({ n: 1 }))]]);
    const ours = encodeMessage({
      ...job,
      id: '019e0000-0000-7000-8000-000000000000',
      dispatch: 1,
      priority: 2,
      orderKey: null,
      at: new Date(),
      traceparent: null,
    });
    const bodies: [unknown, string][] = [
      ...(harness.carries === 'bytes'
        ? ([
            [Buffer.from([0xff, 0x00, 0xfe, 0x7b]), 'malformed'],
            [Buffer.from('{"specversion": "1.0", '), 'malformed'],
            [Buffer.alloc(0), 'malformed'],
            [Buffer.alloc(70 * 1024, '{'), 'oversized'],
          ] as [unknown, string][])
        : []),
      ['no event', 'malformed'],
      [{ hello: 'world' }, 'malformed'],
      [{ ...ours, id: '7' }, 'malformed'],
      [{ ...ours, dispatch: 3_000_000_000 }, 'malformed'],
      [{ ...event, type: 'no type of ours' }, 'malformed'],
      [{ ...ours, type: 'no.such.v1' }, 'unknown_kind'],
      [{ ...event, type: 'no.such.v1' }, 'unknown_kind'],
      [{ ...event, type: `${job.kind}.v1`, data: 'x'.repeat(64 * 1024) }, 'oversized'],
      // 72 kB in UTF-8, and fewer than 64 Ki characters.
      [{ ...event, type: `${job.kind}.v1`, data: '字'.repeat(24_000) }, 'oversized'],
      [{ ...event, type: `${job.kind}.v9999`, data: { n: 1 } }, 'newer_version'],
    ];
    const reasons: string[] = [];
    core.signals.on('dead_lettered', (_, reason) => reasons.push(reason));
    const failed: unknown[] = [];
    core.signals.on('delivery_failed', (_, error) => failed.push(error));
    for (const [body] of bodies) await core.broker.publishRaw(job.queue, body);
    const neighbour = core.next('settled');
    await core.enqueue(job, { n: 1 });
    await neighbour;
    // A delivery that fails is left unacknowledged, and what is behind it waits.
    expect(failed).toEqual([]);
    await until(
      'all are dead-lettered',
      () => Promise.resolve(reasons.length),
      (length) => length === bodies.length,
    );
    const { rows } = await core.pool.query<{ reason: string; queue: string; raw: Buffer }>(
      'SELECT reason, queue, raw FROM dead_letter',
    );
    // A broker that carries JSON may change the order of its fields.
    const contentOf = (body: unknown): unknown =>
      harness.carries === 'json'
        ? body
        : (Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))).toString('hex');
    const kept = rows.map(({ reason, queue, raw }) => [
      reason,
      queue,
      harness.carries === 'json' ? (JSON.parse(raw.toString('utf8')) as unknown) : raw.toString('hex'),
    ]);
    expect(kept).toEqual(expect.arrayContaining(bodies.map(([body, reason]) => [reason, job.queue, contentOf(body)])));
    expect(kept).toHaveLength(bodies.length);
    await until(
      'all are acknowledged',
      () => core.driver.depth(job.queue),
      (depth) => depth === 0,
    );
    // Nothing is delivered a second time, and no message loops.
    const cpuBefore = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { user, system } = process.cpuUsage(cpuBefore);
    expect((user + system) / 1_000).toBeLessThan(400);
    expect(reasons).toHaveLength(bodies.length);
  });

  scenario('brings-an-old-payload-up-to-date', async () => {
    const job = plainJob({ version: 2, upcast: (payload) => ({ n: (payload as { old: number }).old }) });
    const seen: unknown[] = [];
    const core = await start([[job, ({ payload }) => Promise.resolve(done({ n: seen.push(payload) }))]]);
    const settled = core.next('settled');
    await core.enqueue({ ...job, version: 1 }, { old: 7 } as never);
    expect((await settled)[1].state).toBe('completed');
    expect(seen).toEqual([{ n: 7 }]);
  });

  scenario('hands-back-a-newer-version', async () => {
    const job = plainJob();
    const core = await start([[job, () => Promise.reject(new Error('must not run'))]]);
    const settled = core.next('settled');
    const id = await core.enqueue({ ...job, version: 3 }, { n: 1 });
    expect((await settled)[1]).toMatchObject({ state: 'queued', attemptChange: -1 });
    expect(await core.read(id)).toMatchObject({ state: 'scheduled', attempt: 0 });
  });

  scenario('adopts-a-foreign-event', async () => {
    const job = plainJob();
    const seen: unknown[] = [];
    const core = await start([
      [job, ({ payload, tenant }) => Promise.resolve(done({ n: seen.push([payload, tenant]) }))],
    ]);
    const foreign = { ...event, type: `${job.kind}.v1`, tenant: 'shop', data: { n: 42 } };
    let came = 0;
    core.signals.on('foreign_event_enqueued', () => (came += 1));
    const settled = core.next('settled');
    for (let copy = 0; copy < 5; copy += 1) await core.broker.publishRaw(job.queue, foreign);
    await core.broker.publishRaw(job.queue, { ...foreign, id: 'order-4712', tenant: undefined });
    await settled;
    await until(
      'all came',
      () => Promise.resolve(came),
      (count) => count === 6,
    );
    await until(
      'both ran',
      () => Promise.resolve(seen.length),
      (length) => length === 2,
    );
    expect(seen).toEqual(
      expect.arrayContaining([
        [{ n: 42 }, 'shop'],
        [{ n: 42 }, 'system'],
      ]),
    );
    const { rows } = await core.pool.query<{ id: string }>('SELECT id FROM job ORDER BY id');
    expect(rows).toHaveLength(2);
    // UUID version 7, so the ids rise with time like those of every job.
    expect(rows.every(({ id }) => id[14] === '7')).toBe(true);
  });

  scenario('sets-aside-a-foreign-payload', async () => {
    const job = plainJob();
    const core = await start([[job, () => Promise.resolve(done({ n: 1 }))]]);
    const setAside = core.next('dead_lettered');
    await core.broker.publishRaw(job.queue, { ...event, type: `${job.kind}.v1`, data: { n: 'many' } });
    const [, reason, detail] = await setAside;
    expect(reason).toBe('payload_invalid');
    expect(detail).toContain('expected a number');
    const { rows } = await core.pool.query('SELECT reason, source, kind FROM dead_letter');
    expect(rows).toEqual([{ reason: 'payload_invalid', source: event.source, kind: job.kind }]);
    expect((await core.pool.query('SELECT FROM job')).rowCount).toBe(0);
  });

  scenario('carries-the-trace', async () => {
    const job = plainJob();
    let inHandler: unknown;
    const handle = () => {
      inHandler = traceContext.getStore();
      return Promise.resolve(done({ n: 1 }));
    };
    const core = await start([[job, handle]]);
    const settled = core.next('settled');
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const { id } = await core.jobs.enqueue(
      job,
      { n: 1 },
      { tenant: 'test', traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
    );
    await settled;
    expect(inHandler).toEqual({ traceId, jobId: id, attempt: 1 });
  });
}
