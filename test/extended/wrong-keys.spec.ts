import { apiKeys, bearer, keys } from '../support/keys';
import { RawConnection } from '../support/raw-connection';
import { TestSystem } from '../support/system';

let system: TestSystem;

beforeAll(async () => {
  system = await TestSystem.start({ apps: ['api'], environment: { API_KEYS: apiKeys.join(',') } });
});

afterAll(() => system.stop());

it('a right key is accepted after 6,000 wrong ones from its address, and while more arrive', async () => {
  const [guessers, guesses] = [20, 300];
  const statusOf = async (key: string) => (await system.request('/v1/jobs', { headers: bearer(key) })).status;
  const connections = await Promise.all(
    Array.from({ length: guessers }, async (_, n) => {
      const connection = await RawConnection.open(system.url());
      for (let m = 0; m < guesses; m += 1) {
        connection.request(['HEAD /v1/jobs HTTP/1.1', `Authorization: Bearer key-that-nobody-has-${n}-${m}`]);
      }
      return connection;
    }),
  );
  const refused = () =>
    connections.reduce((sum, { received }) => sum + (received.match(/^HTTP\/1\.1 (401|429)/gm)?.length ?? 0), 0);
  while (refused() < guessers * guesses) {
    expect([await statusOf(keys.user), await statusOf(keys.rival)]).toEqual([200, 200]);
  }
  expect([await statusOf(keys.user), await statusOf(keys.rival)]).toEqual([200, 200]);
  expect(await statusOf('key-that-nobody-has')).toBe(429);
  for (const { socket } of connections) socket.destroy();
});
