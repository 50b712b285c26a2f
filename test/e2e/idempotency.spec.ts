import { anEmail, TestSystem, type Answer } from '../support/system';
import { until } from '../support/until';

describe('Idempotency-Key', () => {
  let system: TestSystem;

  beforeAll(async () => {
    system = await TestSystem.start();
    await system.launch('api', 'api-2');
  });

  afterAll(() => system.stop());

  let refused = 0;

  /**
   * A busy API may answer 503 before or after it has done the work. A caller that gets 503 sends the request again
   * with its key.
   */
  async function postUntilAnswered(key: Record<string, string>, api: string): Promise<Answer> {
    const answer = await system.post('/v1/emails', anEmail('twin'), key, api);
    if (answer.status !== 503) return answer;
    refused += 1;
    return postUntilAnswered(key, api);
  }

  it('makes one job, one email and one answer of 200 concurrent requests to two API processes', async () => {
    const key = { 'idempotency-key': 'order-4711' };
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => postUntilAnswered(key, n % 2 ? 'api' : 'api-2')),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(new Set(answers.map(({ headers }) => headers.get('location'))).size).toBe(1);
    const firsts = answers.filter(({ headers }) => headers.get('idempotency-replayed') === null);
    expect(firsts.length).toBeLessThanOrEqual(1);
    // No first answer only if the first request was done and answered with 503. That caller sent it again like the
    // others.
    expect(firsts.length + refused).toBeGreaterThanOrEqual(1);

    const { id } = answers[0]!.body;
    await until(
      'the job is done',
      () => system.get(`/v1/jobs/${id}`),
      ({ body }) => body.state === 'completed',
    );
    expect(await system.jobsByState()).toEqual({ completed: 1 });
    expect(await system.effects()).toEqual(new Map([[`<${id}@example.com>`, 1]]));

    const later = await system.post('/v1/emails', anEmail('twin'), key);
    expect(later.headers.get('idempotency-replayed')).toBe('true');
    expect(later.body).toEqual(answers[0]!.body);
  });

  it('accepts the same body with its fields in another order as the same request', async () => {
    const key = { 'idempotency-key': 'order-of-fields' };
    const first = await system.post('/v1/emails', { to: 'a@example.com', subject: 'A', text: 'a' }, key);
    const second = await system.post('/v1/emails', { text: 'a', subject: 'A', to: 'a@example.com' }, key);
    expect(second.body.id).toBe(first.body.id);
  });

  it('refuses another body with a known key, and makes no job', async () => {
    const key = { 'idempotency-key': 'another-body' };
    const before = await system.post('/v1/emails', anEmail('first'), key);
    const jobsBefore = (await system.get('/v1/jobs?limit=100')).body.items.length;
    const answer = await system.post('/v1/emails', anEmail('second'), key);
    expect(before.status).toBe(202);
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ code: 'idempotency_key_reused', status: 422 });
    expect((await system.get('/v1/jobs?limit=100')).body.items).toHaveLength(jobsBefore);
  });

  it('counts per route', async () => {
    const key = { 'idempotency-key': 'two-routes' };
    const email = await system.post('/v1/emails', anEmail('route'), key);
    const sms = await system.post('/v1/sms', { to: '+4915112345678', text: 'Hi' }, key);
    expect([email.status, sms.status]).toEqual([202, 202]);
    expect(sms.headers.get('idempotency-replayed')).toBeNull();
  });

  it.each(['', 'a b', 'ü', 'x'.repeat(256)])('is refused when it is invalid: %j', async (key) => {
    // fetch sends header values as Latin-1 and removes none of these characters.
    const answer = await system.post('/v1/emails', anEmail(), { 'idempotency-key': key });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'invalid_idempotency_key', errors: [{ path: 'Idempotency-Key' }] });
  });
});
