/** How many handlers of one kind run at once in this process, whichever broker their jobs came by. */
export class Slots {
  private free: number;
  private readonly queue: (() => void)[] = [];

  /** @param opened aborts when nobody has to wait any longer */
  constructor(size: number, opened?: AbortSignal) {
    this.free = size;
    opened?.addEventListener('abort', () => {
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
