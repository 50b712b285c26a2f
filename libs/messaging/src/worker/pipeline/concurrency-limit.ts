import type { Drain } from '../drain';
import type { Received, Step, WorkerDependencies } from './steps';

/** Waits for a slot of the kind, over all brokers of this process, and frees it at the end. */
export function concurrencyStep({ handlers, drain }: WorkerDependencies): Step<Received, void, Received, void> {
  const limiters = new Map(
    [...handlers].map(([kind, { definition }]) => [kind, new ConcurrencyLimiter(definition.concurrency, drain)]),
  );
  return async (received, next) => {
    const giveBack = await limiters.get(received.message.kind)!.take();
    try {
      await next(received);
    } finally {
      giveBack();
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

  /** Waits for a slot. @returns a function that frees the slot; to be called once */
  async take(): Promise<() => void> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.queue.push(resolve));
    return () => {
      const next = this.queue.shift();
      if (next) next();
      else this.free += 1;
    };
  }
}
