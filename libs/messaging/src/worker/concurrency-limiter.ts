import type { Drain } from './drain';

/** How many handlers of one kind run at once in this process, whichever broker their jobs came by. */
export class ConcurrencyLimiter {
  private free: number;
  private readonly queue: (() => void)[] = [];

  /** @param drain from its beginning on nothing has to wait */
  constructor(size: number, drain?: Drain) {
    this.free = size;
    drain?.onBegin(() => {
      this.free = Infinity;
      for (const pass of this.queue.splice(0)) pass();
    });
  }

  /** @returns what gives the slot back; to be called once */
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
