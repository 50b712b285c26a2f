import { gzipSync } from 'node:zlib';
import { apiKeys, bearer, keys } from '../support/keys';
import { inChunksOfOneByte, RawConnection } from '../support/raw-connection';
import { residentMb } from '../support/resident-mb';
import { anEmail, TestSystem } from '../support/system';
import { until } from '../support/until';

const smallHeap = { NODE_OPTIONS: '--max-old-space-size=96' };
const connections = 1_000;
const json = 'Content-Type: application/json';
const asUser = `Authorization: Bearer ${keys.user}`;
const large = JSON.stringify({ ...anEmail(), text: 'x'.repeat(90_000), html: 'y'.repeat(99_000) });

let system: TestSystem;

beforeAll(async () => {
  system = await TestSystem.start({ apps: ['api'], environment: { API_KEYS: apiKeys.join(','), ...smallHeap } });
  await system.launch('api', 'api-open', { API_KEYS: '' });
});

afterAll(() => system.stop());

/** Opens all connections, sends the same on each, and waits until each is answered or closed. */
async function flood(name: string, head: readonly string[], body: string | Buffer): Promise<Record<string, number>> {
  const url = system.url(name);
  const all = await Promise.all(
    Array.from({ length: connections }, async () => (await RawConnection.open(url)).request(head, body)),
  );
  await until(
    'all are answered',
    () => Promise.resolve(all.filter(({ status, isClosed }) => status === undefined && !isClosed).length),
    (open) => open === 0,
    60_000,
  );
  const counts: Record<string, number> = {};
  for (const { status, code, socket } of all) {
    counts[`${status} ${code}`] = (counts[`${status} ${code}`] ?? 0) + 1;
    socket.destroy();
  }
  return counts;
}

const bomb = gzipSync(large);

it.each<[string, string[], string | Buffer]>([
  ['compressed bodies', ['Content-Encoding: gzip', `Content-Length: ${bomb.length}`], bomb],
  ['large bodies that stop', [`Content-Length: ${large.length}`], large.slice(0, -1)],
  ['bodies in chunks of one byte that stop', ['Transfer-Encoding: chunked'], inChunksOfOneByte(large.slice(0, 5_000))],
])(
  'an API with a small heap survives a thousand %s without a key, and accepts none of them',
  async (_, headers, body) => {
    const api = system.processes.get('api')!;
    for (const line of ['POST /v1/emails HTTP/1.1', 'POST /v1/nothing HTTP/1.1']) {
      const counts = await flood('api', [line, json, ...headers], body);
      // A client that still sends when the connection is closed may see only the close.
      expect(
        Object.keys(counts).filter((outcome) => !/^(401 unauthenticated|(408|undefined) undefined)$/.test(outcome)),
      ).toEqual([]);
      expect(counts['401 unauthenticated']).toBeGreaterThan(0);
    }
    expect(residentMb(api)).toBeLessThan(400);
    expect((await system.post('/v1/emails', anEmail(), bearer(keys.user))).status).toBe(202);
  },
);

it.each<[string, string, string[]]>([
  ['with a key', 'api', [asUser]],
  ['with no API keys set', 'api-open', []],
])(
  'an API with a small heap survives a thousand concurrent large bodies %s: it accepts some, and the others later',
  async (_, name, headers) => {
    const head = ['POST /v1/emails HTTP/1.1', json, `Content-Length: ${large.length}`, ...headers];
    const counts = await flood(name, head, large);
    const allowed = [
      '202 undefined',
      '429 too_many_bytes_in_flight',
      '429 too_many_requests',
      '503 database_unavailable',
    ];
    expect(Object.keys(counts).filter((outcome) => !allowed.includes(outcome))).toEqual([]);
    expect(counts['202 undefined']).toBeGreaterThan(0);
    const answer = await until(
      'it accepts again',
      () => system.post('/v1/emails', anEmail(), bearer(keys.user), name),
      ({ status }) => status === 202,
    );
    expect(answer.status).toBe(202);
  },
);
