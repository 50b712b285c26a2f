import { fork, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import type { SupervisedProcess } from '@app/observability';

const firstRestartMs = 500;
const longestRestartMs = 10_000;
/** Who has run this long has not failed at the start. */
const stableMs = 30_000;

/**
 * Of the objects of one process. Without a limit V8 lets them grow to many times what is needed before it collects the
 * old ones, and there are a dozen processes on one machine. What is too much for it ends the process, which is
 * started again.
 */
const heapMb = 192;

/** A process that is started again when it dies, ever more slowly when it dies at once. */
export class Child extends EventEmitter<{ change: []; message: [unknown] }> {
  private process: ChildProcess | undefined;
  private stopping = false;
  private isReady = false;
  private restarts = 0;
  private restartMs = firstRestartMs;
  private restartTimer: NodeJS.Timeout | undefined;

  constructor(
    readonly name: string,
    private readonly script: string,
    private readonly args: readonly string[],
    private readonly environment: NodeJS.ProcessEnv,
    private readonly say: (line: string) => void,
  ) {
    super();
  }

  get seen(): SupervisedProcess {
    const { name, restarts } = this;
    return { name, restarts, state: this.stopping ? 'stopped' : this.isReady ? 'running' : 'starting' };
  }

  /** Resolves when the process says that it is ready, after however many restarts. */
  start(): Promise<void> {
    this.stopping = false;
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

  /** At once, in the middle of whatever it does. Resolves when it is dead; it is started again, as after any other death. */
  async kill(): Promise<void> {
    const child = this.process;
    if (!child || hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  tell(message: object): void {
    if (this.isReady && this.process?.connected) this.process.send(message, () => undefined);
  }

  private spawn(onReady: () => void): void {
    const startedAt = Date.now();
    const child = fork(this.script, this.args, {
      env: this.environment,
      execArgv: [...process.execArgv, `--max-old-space-size=${heapMb}`],
      // A process group of its own: Ctrl-C in a terminal reaches the supervisor alone, which then stops in order.
      detached: process.platform !== 'win32',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.process = child;
    child.once('message', () => {
      this.isReady = true;
      onReady();
      this.emit('change');
      child.on('message', (message) => this.emit('message', message));
    });
    child.once('exit', (code, signal) => {
      this.isReady = false;
      if (this.stopping) return;
      if (Date.now() - startedAt > stableMs) this.restartMs = firstRestartMs;
      this.say(`${this.name} ended (${signal ?? `code ${code}`}); it starts again in ${this.restartMs} ms`);
      this.restarts += 1;
      this.restartTimer = setTimeout(() => this.spawn(onReady), this.restartMs);
      this.restartMs = Math.min(this.restartMs * 2, longestRestartMs);
      this.emit('change');
    });
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
