import type { Drain } from '../drain';
import type { Received, Step, WorkerDependencies } from './steps';

/** Waits for a slot of the kind, over all brokers of this process, and frees it at the end. */
export function concurrencyStep({ handlers, drain }: WorkerDependencies): Step<Received, void, Received, void> {
  const limiters = new Map(
    [...handlers].map(([kind, { definition }]) => [kind, new ConcurrencyLimiter(definition.concurrency, drain)]),
  );
  return async (received, next) => {
    const limiter = limiters.get(received.message.kind)!;
    const turn = limiter.take();
    if (turn) await turn;
    try {
      await next(received);
    } finally {
      limiter.leave();
    }
  };
}

/** Limits how many handlers of one kind run at once in this process, over all brokers. */
export class ConcurrencyLimiter {
  private free: number;
  private readonly queue: (() => void)[] = [];

  /**
   * @param size slots
   * @param drain when it begins, every waiting and later call gets a slot at once
   */
  constructor(size: number, drain?: Drain) {
    this.free = size;
    drain?.onBegin(() => {
      this.free = Infinity;
      for (const pass of this.queue.splice(0)) pass();
    });
  }

  /**
   * Takes a slot; `leave` frees it.
   * @returns undefined when a slot was free, which costs no promise; otherwise what resolves when one is
   */
  take(): Promise<void> | undefined {
    if (this.free === 0) return new Promise((resolve) => this.queue.push(resolve));
    this.free -= 1;
    return undefined;
  }

  /** Frees a slot. To be called once for each `take` that has resolved. */
  leave(): void {
    const next = this.queue.shift();
    if (next) next();
    else this.free += 1;
  }
}
