import { everyRow } from '../support/every-row';
import { basic, bearer } from '../support/keys';
import { freshDatabase, onServer, type TestDatabase } from '../support/postgres';
import { anEmail, TestSystem, type Answer } from '../support/system';
import { until } from '../support/until';

/** Every form in which a search for the secret would find it. */
const key = 'canary-key-5f0e6b1c9d';
const wrongKey = 'canary-wrong-key-77aa';
const signingSecret = 'canary-signing-secret-of-some-length';
const password = 'canary-password-31c2';
const canaries = [key, wrongKey, signingSecret, password].flatMap((secret) => [
  secret,
  basic(secret).authorization.slice('Basic '.length),
]);

const canariesIn = (text: string) => canaries.filter((canary) => text.includes(canary));

describe('a secret', () => {
  let database: TestDatabase;
  let system: TestSystem;
  const role = `canary_${process.pid}`;
  const answers: Answer[] = [];

  beforeAll(async () => {
    await onServer(process.env['TEST_POSTGRES_URL']!, (client) =>
      client.query(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD '${password}'`),
    );
    database = await freshDatabase();
    const url = new URL(database.url);
    url.username = role;
    url.password = password;
    system = await TestSystem.start({
      databaseUrl: url.href,
      apps: ['api', 'relay', 'email-worker'],
      environment: {
        API_KEYS: `${key}:shop:user+operator`,
        SIGNING_SECRET: signingSecret,
        LOG_LEVEL: 'trace',
        // Nothing listens there: every email fails, and its error is stored.
        SMTP_URL: 'smtp://127.0.0.1:1',
      },
    });
  });

  afterAll(async () => {
    await system.stop();
    await database.drop();
    await onServer(process.env['TEST_POSTGRES_URL']!, (client) => client.query(`DROP ROLE ${role}`));
  });

  it('appears in no response, table or log after accepted and refused requests', async () => {
    const ask = async (method: string, path: string, headers: Record<string, string>, body?: unknown) => {
      const answer = await system.request(path, {
        method,
        headers,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      answers.push(answer);
      return answer;
    };
    const good = bearer(key);
    const keyed = { ...good, 'idempotency-key': 'one' };
    const cancelled = await ask('POST', '/v1/emails', keyed, { ...anEmail(), options: { delayMs: 3_600_000 } });
    const email = await ask('POST', '/v1/emails', basic(key), anEmail());
    expect([cancelled.status, email.status]).toEqual([202, 202]);
    await ask('POST', '/v1/emails', good, { to: 'nobody' });
    await ask('POST', '/v1/emails', keyed, { ...anEmail(), subject: 'Another' });
    await ask('POST', `${cancelled.body.links.self}/cancel`, good);
    await ask('POST', '/v1/emails', { ...basic(key), origin: 'https://evil.example.com' }, anEmail());
    for (const path of ['/v1/jobs', '/v1/jobs/1', '/v1/nothing', '/admin/queues', '/docs', '/dev/mailbox']) {
      for (const headers of [good, basic(key), bearer(wrongKey), basic(wrongKey), { cookie: `session=${key}` }, {}]) {
        await ask('GET', path, headers);
      }
    }
    await until(
      'an attempt has failed',
      () => errorOf(email.body.id),
      (error) => error !== null,
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 202, 400, 401, 403, 404, 422]));

    for (const queue of ['email', 'email.send']) {
      await ask('GET', `/admin/queues/api/queues?activeQueue=${queue}&jobsPerPage=100`, good);
    }
    const board = JSON.stringify(answers.slice(-2).map(({ body }) => body));
    for (const { body } of [email, cancelled]) expect(board).toContain(body.id);

    for (const { headers, body } of answers) {
      expect(canariesIn(JSON.stringify([[...headers], body]))).toEqual([]);
    }
    const rows = await everyRow(database.url);
    expect(rows).toContain(email.body.id);
    expect(rows).toContain('"bullmq.');
    expect(canariesIn(rows)).toEqual([]);
    const output = system.allOutput;
    for (const app of ['api', 'relay', 'email-worker']) expect(output).toContain(`${app}: {"level"`);
    expect(output).toContain('/v1/jobs');
    expect(canariesIn(output)).toEqual([]);
  });

  async function errorOf(id: string): Promise<unknown> {
    const { rows } = await system.pool.query<{ error: unknown }>('SELECT error FROM job WHERE id = $1', [id]);
    return rows[0]!.error;
  }
});
