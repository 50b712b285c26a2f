import { setTimeout as delay } from 'node:timers/promises';
import { apiKeys, bearer, keys } from '../support/keys';
import { startNginx } from '../support/nginx';
import { anEmail, TestSystem } from '../support/system';

let system: TestSystem;
let nginx: Awaited<ReturnType<typeof startNginx>>;

beforeAll(async () => {
  const environment = { API_KEYS: apiKeys.join(','), TRUST_PROXY: '1' };
  system = await TestSystem.start({ apps: ['api'], environment });
  nginx = await startNginx(system.url());
});

afterAll(async () => {
  await nginx.stop();
  await system.stop();
});

const post = (body: object, headers: Record<string, string> = bearer(keys.user)) =>
  fetch(`${nginx.url}/v1/emails`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

/** @returns the statuses except 503, which PostgreSQL causes on a busy machine */
const burst = async (): Promise<number[]> => {
  const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => post(anEmail(n))));
  return [...new Set(answers.map(({ status }) => status))].filter((status) => status !== 503);
};

/**
 * Stops the API when its connections reach this age, and sends requests meanwhile. When it continues, the API closes
 * the connections over its own idle limit before it reads new requests: nginx then has no answer, and does not send a
 * POST again.
 */
it.each([5, 60])('every request is answered when connections reach an idle age of %i s', async (seconds) => {
  const api = system.processes.get('api')!;
  expect(await burst()).toEqual([202]);
  await delay(seconds * 1_000 - 500);
  api.kill('SIGSTOP');
  const answers = burst();
  await delay(3_000);
  api.kill('SIGCONT');
  expect(await answers).toEqual([202]);
});

it('a refusal that is sent before the body was read reaches the caller', async () => {
  const large = (length: number) => ({ ...anEmail(), html: 'x'.repeat(length) });
  for (let n = 0; n < 20; n += 1) {
    expect((await post(large(200_000), {})).status).toBe(401);
    expect((await post(large(600_000))).status).toBe(413);
    expect((await post(large(200_000), bearer(keys.viewer))).status).toBe(403);
  }
});
