import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { endingWith } from './ending';

/** Longer than any backlog takes. */
const silenceMs = 300_000;

/** A process of a benchmark. It ends when this process ends. */
export class BenchProcess {
  private constructor(
    private readonly script: string,
    readonly child: ChildProcess,
  ) {}

  /** Runs the work with the process of `<script>-process.ts`, and then ends that process in order. */
  static async during<Result>(
    script: string,
    environment: NodeJS.ProcessEnv,
    work: (process: BenchProcess) => Promise<Result>,
  ): Promise<Result> {
    const child = fork(join(__dirname, `../${script}-process.js`), {
      env: { PATH: process.env['PATH'], NODE_ENV: 'test', LOG_LEVEL: 'warn', ...environment },
      stdio: ['ignore', 2, 2, 'ipc'], // Its output goes to stderr, because stdout has the results.
    });
    const started = new BenchProcess(script, child);
    return endingWith(
      () => started.end(),
      async () => {
        await started.message();
        return work(started);
      },
    );
  }

  send(message: object): void {
    this.child.send(message);
  }

  /**
   * The next message that arrives.
   * @throws Error when the process ends before, or sends nothing for too long
   */
  async message<Message>(): Promise<Message> {
    const waiting = new AbortController();
    const { signal } = waiting;
    try {
      return await Promise.race([
        delay(silenceMs, undefined, { signal }).then(() => {
          throw new Error(`${this.script} said nothing for ${silenceMs} ms.`);
        }),
        once(this.child, 'message', { signal }).then(([message]) => message as Message),
        once(this.child, 'exit', { signal }).then(([code, killedBy]) => {
          throw new Error(`${this.script} ended early (${killedBy ?? `code ${code}`}).`);
        }),
      ]);
    } finally {
      waiting.abort();
    }
  }

  private async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    const kill = setTimeout(() => this.child.kill('SIGKILL'), 15_000);
    this.child.kill('SIGTERM');
    const [code, killedBy] = (await ended) as [number | null, string | null];
    clearTimeout(kill);
    if (code !== 0) throw new Error(`${this.script} did not end in order (${killedBy ?? `code ${code}`}).`);
  }
}
