import { setTimeout as delay } from 'node:timers/promises';
import { claim, OutboxWakeUp, recordProgress, settle, type Dispatch } from '@app/ledger';
import { EventReader, type ReadEvent } from '../support/event-reader';
import { basic, keys, apiKeys, bearer } from '../support/keys';
import { residentMb } from '../support/resident-mb';
import { anEmail, TestSystem } from '../support/system';
import { until } from '../support/until';

const heartbeatMs = 200;
/** Long enough that no lease expires during a test. */
const leaseMs = 600_000;

const shop = bearer(keys.user);

/** There is no worker process: the test claims, reports progress and settles. */
let system: TestSystem;
let wakeUp: OutboxWakeUp;

beforeAll(async () => {
  system = await TestSystem.start({
    apps: ['api'],
    environment: {
      API_KEYS: apiKeys.join(','),
      STREAM_HEARTBEAT_MS: String(heartbeatMs),
      STREAMS_PER_TENANT: '20',
    },
  });
  await system.launch('api', 'other');
  wakeUp = new OutboxWakeUp(system.pool);
});

afterAll(() => system.stop());

async function accept(name = 'api'): Promise<Dispatch> {
  const { status, body } = await system.post('/v1/emails', anEmail(), shop, name);
  expect(status).toBe(202);
  return { id: body.id, dispatch: 1 };
}

/** @returns the cookie of a new session */
async function logIn(): Promise<string> {
  const { headers } = await system.request('/v1/jobs', { headers: basic(keys.user) });
  const cookies = headers.get('set-cookie')!.match(/session(\.sig)?=[^;]+/g)!;
  return cookies.join('; ');
}

async function begin(job: Dispatch): Promise<void> {
  await claim(system.pool, [job], leaseMs);
  wakeUp.request('changes');
}

async function say(job: Dispatch, percent: number, note = `${percent} %`): Promise<void> {
  await recordProgress(system.pool, [{ ...job, percent, note }]);
  wakeUp.request('changes');
}

async function finish(job: Dispatch, result: unknown = { messageId: 'm' }): Promise<void> {
  const settlement = { ...job, state: 'completed' as const, delayMs: 0, attemptChange: 0 as const };
  await settle(system.pool, [{ ...settlement, result, error: undefined }]);
  wakeUp.request('changes');
}

/**
 * Writes 16 MB of events, more than the buffers of a connection hold.
 * @returns the id of the last event
 */
async function flood(job: Dispatch): Promise<string> {
  const batch = 250;
  const batches = 32;
  for (let done = 0; done < batches; done += 1) {
    await system.pool.query(
      `WITH moved AS (UPDATE job SET sequence = sequence + $2 WHERE id = $1 RETURNING *)
       INSERT INTO job_update (tenant, job_id, sequence, type, data)
       SELECT tenant, id, sequence - $2 + n, 'progress', jsonb_build_object('percent', 1, 'note', $3::text)
         FROM moved, generate_series(1, $2) AS n`,
      [job.id, batch, 'x'.repeat(2_000)],
    );
    wakeUp.request('changes');
  }
  return String(batch * batches + 2);
}

const streamOf = ({ id }: Dispatch, name = 'api'): string => `${system.url(name)}/v1/jobs/${id}/events`;
const from = (reader: EventReader) => ({ ...shop, 'last-event-id': reader.lastEventId });
const percent = (wanted: number) => (event: ReadEvent) => event.data.percent === wanted;
const idsOf = (reader: EventReader): number[] => reader.events.map(({ id }) => Number(id));

describe('GET /v1/jobs/{id}/events', () => {
  it('sends past and new events in order, each once, and ends with the job', async () => {
    const job = await accept();
    await begin(job);
    const reader = await EventReader.follow(streamOf(job), shop);
    expect(reader.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': expect.stringMatching(/no-cache.*no-transform/),
      'x-accel-buffering': 'no',
    });
    await reader.sees('it is active', ({ data }) => data.state === 'active');
    await say(job, 40, 'two of\nfive');
    await finish(job, { messageId: '<1@example.com>' });
    expect(await reader.ends()).toBe('in order');
    const at = expect.stringMatching(/^\d{4}-.*Z$/);
    expect(reader.events).toEqual([
      { id: '1', event: 'state', data: { state: 'queued', attempt: 0, runAt: at, at } },
      { id: '2', event: 'state', data: { state: 'active', attempt: 1, at } },
      { id: '3', event: 'progress', data: { percent: 40, note: 'two of\nfive', at } },
      { id: '4', event: 'state', data: { state: 'completed', attempt: 1, at } },
      { id: '5', event: 'result', data: { state: 'completed', result: { messageId: '<1@example.com>' }, at } },
    ]);
    expect(reader.retryMs).toBeGreaterThanOrEqual(1_000);
    // A browser reconnects when a stream ends. Only 204 stops it.
    expect(await EventReader.open(streamOf(job), from(reader))).toMatchObject({ status: 204 });
    const rest = await EventReader.follow(streamOf(job), { ...shop, 'last-event-id': '3' });
    await rest.ends();
    expect(idsOf(rest)).toEqual([4, 5]);
  });

  it('shows a scheduled job as scheduled, and ends when the job is cancelled', async () => {
    const { body } = await system.post('/v1/emails', { ...anEmail(), options: { delayMs: 600_000 } }, shop);
    const reader = await EventReader.follow(`${system.url()}/v1/jobs/${body.id.toUpperCase()}/events`, shop);
    await reader.sees('it is scheduled', ({ data }) => data.state === 'scheduled');
    expect((await system.post(`/v1/jobs/${body.id}/cancel`, {}, shop, 'other')).status).toBe(202);
    expect(await reader.ends()).toBe('in order');
    expect(reader.events.at(-1)).toMatchObject({
      id: '2',
      event: 'state',
      data: { state: 'cancelled', error: { code: 'cancelled' } },
    });
  });

  it('resumes exactly after a killed process, on the same and on another process', async () => {
    const job = await accept();
    await begin(job);
    const readers = [await EventReader.follow(streamOf(job), shop)];
    await say(job, 10);
    await readers[0]!.sees('10 %', percent(10));
    await system.end('api', 'SIGKILL');
    expect(await readers[0]!.ends()).toBe('broken off');
    await say(job, 20);
    readers.push(await EventReader.follow(streamOf(job, 'other'), from(readers[0]!)));
    await readers[1]!.sees('20 %', percent(20));
    await say(job, 30);
    await readers[1]!.sees('30 %', percent(30));
    readers[1]!.close();
    await say(job, 40);
    await system.launch('api');
    readers.push(await EventReader.follow(streamOf(job), from(readers[1]!)));
    await readers[2]!.sees('40 %', percent(40));
    await finish(job);
    await readers[2]!.ends();
    expect(readers.flatMap(idsOf)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('answers with a problem document for another tenant, a missing key or role, an invalid Last-Event-ID and an invalid job id', async () => {
    const job = await accept();
    const url = streamOf(job);
    const problems = [
      [{}, 401, 'unauthenticated'],
      [bearer(keys.rival), 404, 'job_not_found'],
      [bearer(keys.admin), 404, 'job_not_found'],
      [bearer(keys.viewer), 403, 'forbidden'],
      [{ ...shop, 'last-event-id': 'x' }, 400, 'invalid_last_event_id'],
      [{ ...shop, 'last-event-id': '-1' }, 400, 'invalid_last_event_id'],
      [{ ...shop, 'last-event-id': '2' }, 400, 'invalid_last_event_id'],
      [{ ...shop, 'last-event-id': '9999999999' }, 400, 'invalid_last_event_id'],
    ] as const;
    for (const [headers, status, code] of problems) {
      const answer = await EventReader.open(url, headers);
      expect(answer).toMatchObject({
        status,
        type: expect.stringContaining('application/problem+json'),
        body: { code },
      });
    }
    expect((await EventReader.open(`${system.url()}/v1/jobs/nonsense/events`, shop)).body.code).toBe('job_not_found');
  });

  it('accepts a session cookie', async () => {
    const job = await accept();
    const reader = await EventReader.follow(streamOf(job), { cookie: await logIn() });
    await reader.sees('it is queued', ({ data }) => data.state === 'queued');
    reader.close();
  });

  it('sends only headers for a HEAD request to /v1/events', async () => {
    const answer = await system.request('/v1/events', { method: 'HEAD', headers: shop });
    expect(answer.status).toBe(200);
  });
});

describe('GET /v1/events', () => {
  it('sends each changed job as a whole, on every process, and none of another tenant', async () => {
    const own = await EventReader.follow(`${system.url('other')}/v1/events`, shop);
    const rival = await EventReader.follow(`${system.url()}/v1/events`, bearer(keys.rival));
    const job = await accept();
    await own.sees('it is queued', ({ data }) => data.id === job.id);
    await begin(job);
    await say(job, 50);
    await finish(job);
    const last = await own.sees('it is completed', ({ data }) => data.id === job.id && data.state === 'completed');
    const { body } = await system.request(`/v1/jobs/${job.id}`, { headers: shop });
    expect(last).toMatchObject({ event: 'job', data: { ...body, sequence: 4 } });
    const { body: foreign } = await system.post('/v1/emails', anEmail(), bearer(keys.rival));
    await rival.sees('its own', ({ data }) => data.id === foreign.id);
    expect(rival.events.map(({ data }) => data.id)).not.toContain(job.id);
    expect(own.events.map(({ data }) => data.id)).not.toContain(foreign.id);
    own.close();
    rival.close();
  });

  it('sends everything that happened while the reader was disconnected, also from another process', async () => {
    const first = await EventReader.follow(`${system.url()}/v1/events`, shop);
    const before = await accept();
    await first.sees('the first', ({ data }) => data.id === before.id);
    first.close();
    const slow = await system.pool.connect();
    await slow.query('BEGIN');
    await claim(slow, [before], leaseMs);
    const away: Dispatch[] = [];
    for (let n = 0; n < 30; n += 1) away.push(await accept('other'));
    const second = await EventReader.follow(`${system.url('other')}/v1/events`, from(first));
    await until(
      'all changes are received',
      () => Promise.resolve(new Set(second.events.map(({ data }) => data.id))),
      (ids) => away.every(({ id }) => ids.has(id)),
    );
    second.close();
    // This transaction is older than all others and ends after they were sent.
    await slow.query('COMMIT');
    slow.release();
    const third = await EventReader.follow(`${system.url()}/v1/events`, from(second));
    await third.sees(
      'the one whose transaction stayed open',
      ({ data }) => data.id === before.id && data.sequence === 2,
    );
    expect(third.events.length).toBeLessThan(away.length);
    third.close();
  });

  it.each(['x', '5', '9:5:', '1:99999999999999:', '1:5:9', `1:9:${'1,'.repeat(300)}2`])(
    'refuses the Last-Event-ID "%s" with a problem document',
    async (id) => {
      const answer = await EventReader.open(`${system.url()}/v1/events`, { ...shop, 'last-event-id': id });
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_last_event_id' } });
    },
  );
});

describe('an event stream', () => {
  it('sends heartbeats', async () => {
    const reader = await EventReader.follow(`${system.url()}/v1/events`, shop);
    await until(
      'heartbeats',
      () => Promise.resolve(reader.comments),
      (comments) => comments >= 3,
    );
    expect(reader.events).toEqual([]);
    reader.close();
  });

  it('above the limit of the tenant gets a retry time and ends, and the open streams continue', async () => {
    const url = `${system.url('other')}/v1/events`;
    const readers = await Promise.all(Array.from({ length: 20 }, () => EventReader.follow(url, shop)));
    for (let n = 0; n < 3; n += 1) {
      const newcomer = await EventReader.follow(url, shop);
      expect(await newcomer.ends()).toBe('in order');
      expect(newcomer.retryMs).toBeGreaterThanOrEqual(30_000);
      expect(newcomer.events).toMatchObject([{ id: '', event: 'unavailable', data: { code: 'too_many_streams' } }]);
    }
    const rival = await EventReader.follow(url, bearer(keys.rival));
    expect(readers.map(({ ended }) => ended)).toEqual(Array(20).fill(undefined));
    for (const reader of [...readers, rival]) reader.close();
    await until(
      'there is room',
      async () => {
        const reader = await EventReader.follow(url, shop);
        // The first frame of an accepted stream has the id to resume from.
        while (reader.lastEventId === '' && reader.ended === undefined) await delay(5);
        return reader;
      },
      (reader) => {
        reader.close();
        return reader.lastEventId !== '';
      },
    );
  });

  it('buffers nothing for a reader that does not read, and sends everything when it reads again', async () => {
    const job = await accept();
    await begin(job);
    const swift = await EventReader.follow(streamOf(job), shop);
    const slow = await Promise.all(Array.from({ length: 10 }, () => EventReader.follow(streamOf(job), shop)));
    for (const reader of slow) reader.pause();
    const before = residentMb(system.processes.get('api')!);
    const total = await flood(job);
    await swift.sees('the last one', ({ id }) => id === total, 60_000);
    // Without a limit it would be 16 MB for each of the ten, plus the garbage of the fast reader: on Node 24 up to 136 MB.
    expect(residentMb(system.processes.get('api')!) - before).toBeLessThan(155);
    for (const reader of slow) reader.resume();
    for (const reader of [swift, ...slow]) {
      await reader.sees('the last one', ({ id }) => id === total, 60_000);
      expect(idsOf(reader)).toEqual(Array.from({ length: Number(total) }, (_, index) => index + 1));
      reader.close();
    }
  });

  it('ends within two seconds after the log-out of its session, in every process, and no other stream ends', async () => {
    const [cookie, other] = [await logIn(), await logIn()];
    const job = await accept();
    const open = (path: string, headers: Record<string, string>, name = 'api') =>
      EventReader.follow(`${system.url(name)}${path}`, headers);
    const ending = [
      await open('/v1/events', { cookie }),
      await open('/v1/events', { cookie }, 'other'),
      await open(`/v1/jobs/${job.id}/events`, { cookie }),
      // A browser that remembers the password sends both.
      await open('/v1/events', { cookie, ...basic(keys.user) }),
    ];
    const staying = [
      await open('/v1/events', { cookie: other }),
      await open('/v1/events', basic(keys.user)),
      await open('/v1/events', shop),
    ];
    const [own] = staying.slice(1);
    const begun = own!.headers['set-cookie']!.map((line) => line.split(';')[0]).join('; ');
    const logOut = (headers: Record<string, string>) => system.request('/v1/session', { method: 'DELETE', headers });
    expect((await logOut({ cookie })).status).toBe(204);
    const since = performance.now();
    expect(await Promise.all(ending.map((reader) => reader.ends()))).toEqual(ending.map(() => 'in order'));
    expect(performance.now() - since).toBeLessThan(2_000);
    expect(staying.map(({ ended }) => ended)).toEqual([undefined, undefined, undefined]);
    // The session that began with the answer of the stream belongs to the stream.
    await logOut({ cookie: begun });
    await own!.ends();
    for (const reader of staying) reader.close();
  });

  it('ends at once and in order when its process stops', async () => {
    const job = await accept();
    const readers = await Promise.all([
      EventReader.follow(streamOf(job, 'other'), shop),
      EventReader.follow(`${system.url('other')}/v1/events`, shop),
    ]);
    const startedAt = performance.now();
    expect(await system.end('other', 'SIGTERM')).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(await Promise.all(readers.map((reader) => reader.ends()))).toEqual(['in order', 'in order']);
    await system.launch('api', 'other');
    const again = await EventReader.follow(streamOf(job, 'other'), shop);
    again.close();
  });
});
