import { setTimeout as delay } from 'node:timers/promises';

/** The deliveries that this process handles. */
export class InFlight {
  private readonly promises = new Set<Promise<unknown>>();

  get size(): number {
    return this.promises.size;
  }

  track<Result>(delivery: Promise<Result>): Promise<Result> {
    this.promises.add(delivery);
    return delivery.finally(() => this.promises.delete(delivery));
  }

  /** Waits until nothing is in flight, at most `ms` milliseconds. */
  async idle(ms: number): Promise<void> {
    const timer = new AbortController();
    const timeOut = delay(ms, 'timed out', { signal: timer.signal });
    timeOut.catch(() => undefined);
    while (this.promises.size > 0) {
      if ((await Promise.race([Promise.allSettled(this.promises), timeOut])) === 'timed out') break;
    }
    timer.abort();
  }
}
