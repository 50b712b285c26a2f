import { EventReader } from '../support/event-reader';
import { apiKeys, bearer, keys } from '../support/keys';
import { anEmail, TestSystem } from '../support/system';
import { until } from '../support/until';

/** The size of each row that a list shows. */
const large = 1_100_000;
const rows = 100;
const sideBySide = 20;

let system: TestSystem;

beforeAll(async () => {
  system = await TestSystem.start({
    apps: ['api'],
    environment: {
      API_KEYS: apiKeys.join(','),
      WEBHOOK_ALLOW_HOSTS: '127.0.0.1',
      NODE_OPTIONS: '--max-old-space-size=96',
    },
  });
});

afterAll(() => system.stop());

/** @returns the body, after every answer was a 200 and the process has survived */
async function askedOften(path: string, key: string): Promise<any> {
  const pid = system.processes.get('api')!.pid;
  const answers = await Promise.all(
    Array.from({ length: sideBySide }, () =>
      // On a busy machine the database may be late. That is not a question of memory, so a 503 is repeated.
      until(
        'the database answers',
        () => system.request(path, { headers: bearer(key) }),
        ({ status }) => status !== 503,
      ),
    ),
  );
  expect([...new Set(answers.map(({ status }) => status))]).toEqual([200]);
  expect((await system.request('/health/live')).status).toBe(200);
  expect(system.processes.get('api')!).toMatchObject({ pid, exitCode: null, signalCode: null });
  return answers[0]!.body;
}

it('a list of large dead letters has their sizes, and a separate request returns a whole message', async () => {
  await system.pool.query(
    `INSERT INTO dead_letter (broker, queue, reason, detail, raw, source)
     SELECT 'kafka', 'email', 'malformed', repeat('d', $1), convert_to(repeat('r', $1), 'UTF8'), repeat('s', $1)
       FROM generate_series(1, $2)`,
    [large, rows],
  );
  const { items } = await askedOften(`/v1/dead-letters?limit=${rows}`, keys.viewer);
  expect(items).toHaveLength(rows);
  expect(items[0]).toMatchObject({ rawBytes: large, raw: Buffer.alloc(1_024, 'r').toString('base64') });
  const whole = await fetch(`${system.url()}/v1/dead-letters/${items[0].id}/raw`, { headers: bearer(keys.viewer) });
  expect((await whole.arrayBuffer()).byteLength).toBe(large);
});

it('a list of large mailbox messages has their sizes, and a separate request returns a whole message', async () => {
  const size = 100_000;
  await system.pool.query(
    `INSERT INTO mailbox_message (tenant, channel, recipient, subject, text, html, message_id)
     SELECT 'shop', 'email', 'ada@example.com', 'Hi', repeat('文', $1), repeat('<b>', $1 / 3), n::text
       FROM generate_series(1, $2) n`,
    [size, rows],
  );
  const { items } = await askedOften('/dev/mailbox', keys.user);
  expect(items).toHaveLength(rows);
  expect(items[0]).toMatchObject({ textBytes: 3 * size, htmlBytes: size - 1, text: '文'.repeat(4_000) });
  const whole = await system.request(`/dev/mailbox/${items[0].id}`, { headers: bearer(keys.user) });
  expect(whole.body.text).toBe('文'.repeat(size));
  const ofAnother = await system.request(`/dev/mailbox/${items[0].id}`, { headers: bearer(keys.rival) });
  expect([ofAnother.status, ofAnother.body.code]).toEqual([404, 'letter_not_found']);
});

it('the API returns a list of deliveries with the most and the longest attempts that an endpoint can cause', async () => {
  const hook = await system.post('/v1/webhooks', { url: 'http://127.0.0.1:9/' }, bearer(keys.user));
  const ids = await accept(50);
  await system.pool.query(
    `INSERT INTO webhook_delivery (job_id, tenant, endpoint_id, webhook_id, type)
     SELECT unnest($1::uuid[]), 'shop', $2, 'w', 'job.finished'`,
    [ids, hook.body.id],
  );
  await system.pool.query(
    `INSERT INTO webhook_attempt (tenant, job_id, attempt, ms, status, answer, error)
     SELECT 'shop', id, n, 1, 500, repeat('文', 512), repeat('文', 2000) FROM unnest($1::uuid[]) id, generate_series(1, 18) n`,
    [ids],
  );
  const { items } = await askedOften(`/v1/webhooks/${hook.body.id}/deliveries?limit=50`, keys.user);
  expect(items).toHaveLength(50);
});

it('lists and streams show only the size of a large result, and the request for one job returns it whole', async () => {
  const ids = await accept(rows);
  const readers = await Promise.all(
    Array.from({ length: sideBySide }, () => EventReader.follow(`${system.url()}/v1/events`, bearer(keys.user))),
  );
  await until(
    'all streams have begun',
    () => Promise.resolve(readers.map(({ lastEventId }) => lastEventId)),
    (last) => last.every((id) => id !== ''),
  );
  await system.pool.query(
    `WITH done AS (
       UPDATE job SET state = 'completed', finished_at = now(), started_at = now(), sequence = sequence + 1,
              result = jsonb_build_object('messageId', repeat('r', $2))
        WHERE id = ANY ($1::uuid[]) RETURNING id, tenant, sequence)
     INSERT INTO job_update (tenant, job_id, sequence, type, data)
     SELECT tenant, id, sequence, 'state', '{"state":"completed","attempt":1}' FROM done`,
    [ids, large],
  );
  const resultBytes = large + '{"messageId": ""}'.length;
  for (const reader of readers) {
    const seen = await reader.sees('the job is completed', ({ data }) => data.id === ids.at(-1) && data.resultBytes);
    expect(seen.data).toMatchObject({ state: 'completed', result: null, resultBytes });
    reader.close();
  }
  const { items } = await askedOften(`/v1/jobs?limit=${rows}&state=completed`, keys.user);
  expect(items).toHaveLength(rows);
  expect(items[0]).toMatchObject({ result: null, resultBytes });
  const whole = await system.request(`/v1/jobs/${ids[0]}`, { headers: bearer(keys.user) });
  expect(whole.body.result.messageId).toHaveLength(large);
});

/** @returns the ids of new jobs of the shop */
async function accept(count: number): Promise<string[]> {
  const accepted: string[] = [];
  while (accepted.length < count) {
    const { status, body } = await system.post('/v1/emails', anEmail(accepted.length), bearer(keys.user));
    if (status === 202) accepted.push(body.id as string);
  }
  return accepted;
}
