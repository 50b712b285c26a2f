import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { freePort } from '../postgres/free-port';
import type { Broker, RunningBroker } from './broker';
import { runAfterExit } from './server-process';
import { untilAnswers } from './until-answers';

const run = promisify(execFile);

export function dockerRuns(): Promise<boolean> {
  return run('docker', ['info'], { timeout: 10_000 }).then(
    () => true,
    () => false,
  );
}

/** Runs the broker in a container, which is removed at the end, even when this process is killed. */
export async function startInDocker(broker: Broker): Promise<Pick<RunningBroker, 'url' | 'stop'>> {
  const port = await freePort();
  const url = broker.addressAt(port);
  const name = `node-message-queue-${broker.name.toLowerCase()}-${randomUUID()}`;
  const remove = ['rm', '--force', '--volumes', name];
  const takeBack = runAfterExit('docker', ...remove);
  const stop = async () => {
    takeBack();
    await run('docker', remove);
  };
  try {
    await run('docker', ['run', '--detach', '--rm', '--name', name, ...broker.container(port)]);
    await untilAnswers(broker.name, () => broker.ask(url), { hasEnded: () => false, output: () => '' });
  } catch (error) {
    await stop().catch(() => undefined); // The first error is the one to report.
    throw error;
  }
  return { url, stop };
}
