import { once } from 'node:events';
import { get, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { constants, createGunzip } from 'node:zlib';
import { startCompressingProxy } from '../support/compressing-proxy';
import { apiKeys, bearer, keys } from '../support/keys';
import { startNginx } from '../support/nginx';
import { anEmail, TestSystem } from '../support/system';
import { until } from '../support/until';

const perTenant = 3;

let system: TestSystem;

beforeAll(async () => {
  system = await TestSystem.start({
    apps: ['api'],
    environment: { API_KEYS: apiKeys.join(','), TRUST_PROXY: '1', STREAMS_PER_TENANT: String(perTenant) },
  });
});

afterAll(() => system.stop());

const open = new Set<ClientRequest>();

afterEach(() => {
  for (const asked of open) asked.destroy();
  open.clear();
});

/** A reader that accepts gzip, as browsers do. */
async function read(url: string) {
  const headers = { ...bearer(keys.user), 'accept-encoding': 'gzip' };
  const asked = get(url, { headers, agent: false });
  open.add(asked);
  asked.on('error', () => undefined);
  const [answer] = (await once(asked, 'response', { signal: AbortSignal.timeout(10_000) })) as [IncomingMessage];
  const isCompressed = answer.headers['content-encoding'] === 'gzip';
  const body: Readable = isCompressed
    ? answer.pipe(createGunzip({ finishFlush: constants.Z_SYNC_FLUSH, flush: constants.Z_SYNC_FLUSH }))
    : answer;
  const reader = { isCompressed, status: answer.statusCode, text: '', hasEnded: false, leave: () => asked.destroy() };
  body.setEncoding('utf8').on('data', (text: string) => (reader.text += text));
  for (const stream of [answer, body]) stream.on('error', () => undefined);
  body.on('close', () => (reader.hasEnded = true));
  return reader;
}

const comes = (reader: Awaited<ReturnType<typeof read>>, text: string, withinMs: number) =>
  until(
    `"${text}" comes`,
    () => Promise.resolve(reader.text),
    (seen) => seen.includes(text),
    withinMs,
  );

describe.each([
  [
    'nginx, which compresses streams, too',
    true,
    (api: string) =>
      startNginx(api, 'gzip on; gzip_proxied any; gzip_min_length 0; gzip_types text/event-stream application/json;'),
  ],
  ['a Node proxy that compresses everything it may', false, startCompressingProxy],
])('behind %s', (_, compressesStreams, start) => {
  let proxy: Awaited<ReturnType<typeof start>>;

  beforeAll(async () => {
    proxy = await start(system.url());
  });

  afterAll(() => proxy.stop());

  it('an event arrives within a second, on both kinds of streams', async () => {
    const all = await read(`${proxy.url}/v1/events`);
    expect(all.isCompressed).toBe(compressesStreams);
    await comes(all, 'id: ', 1_000);
    const { id } = (await system.post('/v1/emails', anEmail(), bearer(keys.user))).body;
    await comes(all, id, 1_000);
    const one = await read(`${proxy.url}/v1/jobs/${id}/events`);
    await comes(one, 'event: state', 1_000);
    await system.request(`/v1/jobs/${id}/cancel`, { method: 'POST', headers: bearer(keys.user) });
    await comes(one, '"state":"cancelled"', 1_000);
    all.leave();
    one.leave();
  });

  it('an answer that is not a stream is compressed and complete', async () => {
    const list = await read(`${proxy.url}/v1/jobs?limit=1`);
    await until(
      'the answer is whole',
      () => Promise.resolve(list.hasEnded),
      (hasEnded) => hasEnded,
    );
    expect([list.status, list.isCompressed, JSON.parse(list.text).items.length]).toEqual([200, true, 1]);
  });

  it('a stream whose reader disconnects is free for a new reader at once', async () => {
    const newcomer = async () => {
      const reader = await read(`${proxy.url}/v1/events`);
      await comes(reader, 'retry: ', 1_000);
      return reader;
    };
    const getsStream = async () => {
      const reader = await newcomer();
      const isIn = await until(
        'it has a stream, or is asked to reconnect',
        () => Promise.resolve(reader.text),
        (text) => /^id: |event: unavailable/m.test(text),
      );
      reader.leave();
      return !isIn.includes('unavailable');
    };
    await until('a stream is free', getsStream, (isIn) => isIn);
    for (let round = 0; round < 3; round += 1) {
      const readers: Awaited<ReturnType<typeof read>>[] = [];
      await until(
        'all streams are taken',
        async () => {
          const reader = await newcomer();
          if (!reader.text.includes('unavailable')) readers.push(reader);
          return readers.length;
        },
        (count) => count === perTenant,
      );
      expect(await getsStream()).toBe(false);
      for (const reader of readers) reader.leave();
      await until('a new reader gets a stream', getsStream, (isIn) => isIn, 2_000);
    }
  });
});
