import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { anEmail, type TestSystem } from './system';

/** Callers that never give up: each sends its request again with its key until it gets a 202. */
export class Load {
  /** The ids of all accepted jobs. */
  readonly accepted = new Set<string>();
  /** Answers other than 202, and broken connections, by kind. */
  readonly refusals = new Map<string, number>();
  private running = true;
  private readonly callers: Promise<void>[];
  private sent = 0;

  constructor(
    private readonly system: TestSystem,
    callers = 8,
    private readonly api: (n: number) => string = () => 'api',
  ) {
    this.callers = Array.from({ length: callers }, () => this.call());
  }

  /**
   * Lets every caller finish its current request.
   * @returns the ids of all accepted jobs
   */
  async stop(): Promise<Set<string>> {
    this.running = false;
    await Promise.all(this.callers);
    return this.accepted;
  }

  private async call(): Promise<void> {
    while (this.running) {
      const n = (this.sent += 1);
      const headers = { 'idempotency-key': randomUUID() };
      while (!(await this.attempt(n, headers))) {
        if (this.system.hasStopped) return;
        await delay(50);
      }
      await delay(40);
    }
  }

  private async attempt(n: number, headers: Record<string, string>): Promise<boolean> {
    try {
      const { status, body } = await this.system.post('/v1/emails', anEmail(n), headers, this.api(n));
      if (status === 202) this.accepted.add(body.id);
      else this.count(String(status));
      return status === 202;
    } catch {
      this.count('connection');
      return false;
    }
  }

  private count(what: string): void {
    this.refusals.set(what, (this.refusals.get(what) ?? 0) + 1);
  }
}
