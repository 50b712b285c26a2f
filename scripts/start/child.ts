import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const firstRestartMs = 500;
const longestRestartMs = 10_000;
/** Who has run this long has not failed at the start. */
const stableMs = 30_000;

/** A process that is started again when it dies, ever more slowly when it dies at once. */
export class Child {
  private process: ChildProcess | undefined;
  private stopping = false;
  private restartMs = firstRestartMs;
  private restartTimer: NodeJS.Timeout | undefined;

  constructor(
    readonly name: string,
    private readonly script: string,
    private readonly args: readonly string[],
    private readonly environment: NodeJS.ProcessEnv,
    private readonly say: (line: string) => void,
  ) {}

  /** Resolves when the process says that it is ready, after however many restarts. */
  start(): Promise<void> {
    return new Promise((resolve) => this.spawn(resolve));
  }

  /** Lets it end in order: the channel to its parent closes, and it drains. @param ms until it is killed */
  async stop(ms: number): Promise<void> {
    this.stopping = true;
    clearTimeout(this.restartTimer);
    const child = this.process;
    if (!child || hasEnded(child)) return;
    const ended = once(child, 'exit');
    const kill = setTimeout(() => {
      this.say(`${this.name} did not end within ${ms} ms and is killed`);
      child.kill('SIGKILL');
    }, ms);
    if (child.connected) child.disconnect();
    await ended;
    clearTimeout(kill);
  }

  private spawn(onReady: () => void): void {
    const startedAt = Date.now();
    const child = fork(this.script, this.args, {
      env: this.environment,
      // A process group of its own: Ctrl-C in a terminal reaches the supervisor alone, which then stops in order.
      detached: process.platform !== 'win32',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.process = child;
    child.once('message', onReady);
    child.once('exit', (code, signal) => {
      if (this.stopping) return;
      if (Date.now() - startedAt > stableMs) this.restartMs = firstRestartMs;
      this.say(`${this.name} ended (${signal ?? `code ${code}`}); it starts again in ${this.restartMs} ms`);
      this.restartTimer = setTimeout(() => this.spawn(onReady), this.restartMs);
      this.restartMs = Math.min(this.restartMs * 2, longestRestartMs);
    });
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
