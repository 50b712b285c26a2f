import { fork, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { isRefusal, isStopProgress, stopOrder, type SupervisedProcess } from '@app/observability/supervision';
import { StartRefused } from './start-refused';

const firstRestartMs = 500;
const longestRestartMs = 10_000;
/** A process that has run this long, in milliseconds, has started successfully. */
const stableMs = 30_000;

/**
 * The heap limit of a process with one app, in MB. Without a limit V8 lets the heap grow to many times what is needed before it
 * collects garbage, and there are a dozen processes on one machine. A process that exceeds it ends and is started
 * again.
 */
export const heapMbOfApp = 192;

/**
 * The flags of V8 for each process. `--liftoff-only`: WebAssembly stays as its first compiler makes it. The second one
 * makes Prisma's query compiler no faster in use, since Prisma keeps its plans, and takes 45 MB for that.
 * `--expose-gc`: `runProcess` returns the memory that only the start has used.
 */
const v8Flags = ['--liftoff-only', '--expose-gc'];

interface Start {
  readonly resolve: () => void;
  readonly reject: (refused: StartRefused) => void;
}

/** A process that is started again when it dies, with a growing delay when it dies at once. */
export class Child extends EventEmitter<{ change: []; message: [unknown] }> {
  private process: ChildProcess | undefined;
  private stopping = false;
  private isReady = false;
  private hasBeenReady = false;
  private restarts = 0;
  private restartMs = firstRestartMs;
  private restartTimer: NodeJS.Timeout | undefined;

  constructor(
    readonly name: string,
    private readonly script: string,
    private readonly args: readonly string[],
    private readonly environment: NodeJS.ProcessEnv,
    private readonly say: (line: string) => void,
    private readonly heapMb = heapMbOfApp,
  ) {
    super();
  }

  /** Whether there is anything to stop: a process, or one that is about to be started again. */
  get isRunning(): boolean {
    return !this.stopping && this.process !== undefined;
  }

  get seen(): SupervisedProcess {
    const { name, restarts } = this;
    return { name, restarts, state: this.stopping ? 'stopped' : this.isReady ? 'running' : 'starting' };
  }

  /**
   * Resolves when the process reports that it is ready, after any number of restarts.
   * @throws StartRefused when it reports that starting it again does not help
   */
  start(): Promise<void> {
    this.stopping = false;
    return new Promise((resolve, reject) => this.spawn({ resolve, reject }));
  }

  /** Stops the process in order, and prints what it waits for. @param ms milliseconds until it is killed */
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
    if (child.connected) child.send(stopOrder, () => undefined);
    await ended;
    clearTimeout(kill);
  }

  /** Kills the process at once. Resolves when it is dead. It is started again, as after any other death. */
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

  private spawn(start: Start): void {
    const startedAt = Date.now();
    const child = fork(this.script, this.args, {
      env: this.environment,
      execArgv: [...process.execArgv, ...v8Flags, `--max-old-space-size=${this.heapMb}`],
      // Its own process group: Ctrl-C in a terminal reaches only the supervisor, which then stops in order.
      detached: process.platform !== 'win32',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.process = child;
    let refusal: string | undefined;
    child.on('message', (message) => {
      if (message === 'ready') {
        this.isReady = true;
        this.hasBeenReady = true;
        start.resolve();
        this.emit('change');
      } else if (isRefusal(message)) refusal = message.refused;
      else if (isStopProgress(message)) this.say(`stopping: ${this.name} ${message.waitsFor}`);
      else this.emit('message', message);
    });
    child.once('exit', (code, signal) => {
      this.isReady = false;
      if (this.stopping) return;
      // It was ready once with these settings, and may be again.
      if (refusal !== undefined && !this.hasBeenReady) {
        this.stopping = true;
        start.reject(new StartRefused(refusal));
        return;
      }
      if (refusal !== undefined) this.say(refusal);
      if (Date.now() - startedAt > stableMs) this.restartMs = firstRestartMs;
      this.say(`${this.name} ended (${signal ?? `code ${code}`}); it starts again in ${this.restartMs} ms`);
      this.restarts += 1;
      this.restartTimer = setTimeout(() => this.spawn(start), this.restartMs);
      this.restartMs = Math.min(this.restartMs * 2, longestRestartMs);
      this.emit('change');
    });
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
