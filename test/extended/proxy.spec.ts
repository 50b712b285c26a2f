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

/** @returns the statuses that came; 503 is PostgreSQL's, on a machine that is too busy */
const burst = async (): Promise<number[]> => {
  const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => post(anEmail(n))));
  return [...new Set(answers.map(({ status }) => status))].filter((status) => status !== 503);
};

/**
 * The API stands still while its connections reach this age, and requests come meanwhile. Afterwards it closes what
 * its own limit says before it looks at what has come: nginx has no answer then, and does not send a POST again.
 */
it.each([5, 60])('no request meets a connection that the API closes at an idle age of %i s', async (seconds) => {
  const api = system.processes.get('api')!;
  expect(await burst()).toEqual([202]);
  await delay(seconds * 1_000 - 500);
  api.kill('SIGSTOP');
  const answers = burst();
  await delay(3_000);
  api.kill('SIGCONT');
  expect(await answers).toEqual([202]);
});

it('a refusal that comes before the body is read reaches the caller', async () => {
  const large = (length: number) => ({ ...anEmail(), html: 'x'.repeat(length) });
  for (let n = 0; n < 20; n += 1) {
    expect((await post(large(200_000), {})).status).toBe(401);
    expect((await post(large(600_000))).status).toBe(413);
    expect((await post(large(200_000), bearer(keys.viewer))).status).toBe(403);
  }
});
