import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { freePort } from '../postgres/free-port';
import type { Broker, RunningBroker } from './broker';
import { whenWeAreGone } from './orphans';
import { untilAnswers } from './until-answers';

const run = promisify(execFile);

export function dockerRuns(): Promise<boolean> {
  return run('docker', ['info'], { timeout: 10_000 }).then(
    () => true,
    () => false,
  );
}

/** In a container that is removed at the end, whoever ends. */
export async function startInDocker(broker: Broker): Promise<Pick<RunningBroker, 'url' | 'stop'>> {
  const port = await freePort();
  const url = broker.addressAt(port);
  const name = `node-message-queue-${broker.name.toLowerCase()}-${randomUUID()}`;
  const remove = ['docker', 'rm', '--force', '--volumes', name] as const;
  const takeBack = whenWeAreGone(...remove);
  const stop = async () => {
    await run(remove[0], remove.slice(1));
    takeBack();
  };
  await run('docker', ['run', '--detach', '--rm', '--name', name, ...broker.container(port)]);
  try {
    await untilAnswers(broker.name, () => broker.ask(url), { hasEnded: () => false, said: () => '' });
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}
