/**
 * The moment from which a worker takes no more messages. Each wait is an entry here and not a listener of an
 * AbortSignal: Node reports more than ten listeners as a leak.
 */
export class Drain {
  private readonly waiting = new Set<() => void>();
  private begun = false;

  get hasBegun(): boolean {
    return this.begun;
  }

  /** Begins the drain: ends every wait, and calls every listener once. */
  begin(): void {
    this.begun = true;
    for (const listener of this.waiting) listener();
    this.waiting.clear();
  }

  /** Registers a listener; calls it at once when the drain has begun. */
  onBegin(listener: () => void): void {
    if (this.begun) listener();
    else this.waiting.add(listener);
  }

  /** Resolves after `ms` milliseconds, or as soon as the drain begins. */
  sleep(ms: number): Promise<void> {
    if (this.begun) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.waiting.add(end);
    });
  }
}
