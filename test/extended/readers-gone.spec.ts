import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { EventReader } from '../support/event-reader';
import { TestSystem } from '../support/system';
import { until } from '../support/until';

/** A network of this test alone, and its two ends. */
const [namespace, near, far] = [`readers${process.pid}`, `near${process.pid}`, `far${process.pid}`];
const [nearAddress, farAddress] = ['10.231.7.1', '10.231.7.2'];

const ip = (command: string): void => void execFileSync('ip', command.split(' '));

const asRoot = process.getuid?.() === 0 ? describe : describe.skip;

asRoot('readers whose network fails', () => {
  let system: TestSystem;
  const readers: ChildProcess[] = [];

  beforeAll(async () => {
    ip(`netns add ${namespace}`);
    ip(`link add ${near} type veth peer name ${far} netns ${namespace}`);
    ip(`addr add ${nearAddress}/30 dev ${near}`);
    ip(`link set ${near} up`);
    ip(`-n ${namespace} addr add ${farAddress}/30 dev ${far}`);
    ip(`-n ${namespace} link set ${far} up`);
    system = await TestSystem.start({
      apps: ['api'],
      environment: { HOST: '0.0.0.0', STREAMS_PER_TENANT: '2', STREAM_HEARTBEAT_MS: '500' },
    });
  });

  afterAll(async () => {
    for (const reader of readers) reader.kill('SIGKILL');
    ip(`link del ${near}`);
    ip(`netns del ${namespace}`);
    await system.stop();
  });

  /** @returns whether a new reader gets a stream */
  async function getsStream(): Promise<boolean> {
    const reader = await EventReader.follow(`${system.url()}/v1/events`);
    while (reader.lastEventId === '' && reader.ended === undefined) await delay(5);
    reader.close();
    return reader.lastEventId !== '';
  }

  it('keep their streams while the network works, and lose them within 30 s after it fails', async () => {
    const { port } = new URL(system.url());
    for (let n = 0; n < 2; n += 1) {
      const url = `http://${nearAddress}:${port}/v1/events`;
      // Without API_KEYS, the API serves only a Host of this machine.
      const curl = ['curl', '-sN', '-H', 'Host: localhost', url];
      const reader = spawn('ip', ['netns', 'exec', namespace, ...curl], { stdio: ['ignore', 'pipe', 'ignore'] });
      readers.push(reader);
      const [opening] = (await once(reader.stdout, 'data')) as [Buffer];
      expect(opening.toString()).toContain('retry:');
    }
    for (let n = 0; n < 3; n += 1) {
      await delay(600);
      expect(await getsStream()).toBe(false);
    }
    ip(`link set ${near} down`);
    await until('a new reader gets a stream', getsStream, (got) => got, 30_000);
  });
});
