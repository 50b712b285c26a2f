/**
 * Group commit: combines the requests of concurrent callers within `windowMs` into one statement. While `inFlight`
 * statements run, the next group grows. The window lasts half as long as the last statement took, between `windowMs`
 * and `longestWindowMs`: the slower the commits, the larger the groups.
 */
export class Batcher<Item, Result> {
  private waiting: Entry<Item, Result>[] = [];
  private running = 0;
  private timer: NodeJS.Timeout | undefined;
  private lastMs = 0;

  /**
   * @param write one statement for all items; returns the results in the order of the items
   * @param limits windows in milliseconds, the largest group, and how many statements run at once
   */
  constructor(
    private readonly write: (items: Item[]) => Promise<Result[]>,
    private readonly limits: Limits = { windowMs: 2, longestWindowMs: 10, groupSize: 500, inFlight: 1 },
  ) {}

  /**
   * Adds an item to the next group.
   * @returns the result of this item
   * @throws the error of `write` for this item
   */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (this.waiting.length >= this.limits.groupSize) this.flush();
      else this.timer ??= setTimeout(() => this.flush(), this.windowMs());
    });
  }

  private windowMs(): number {
    const { windowMs, longestWindowMs = windowMs } = this.limits;
    return Math.max(windowMs, Math.min(this.lastMs / 2, longestWindowMs));
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.waiting.length === 0 || this.running >= this.limits.inFlight) return;
    const group = this.waiting.splice(0, this.limits.groupSize);
    this.running += 1;
    void this.writeGroup(group).finally(() => {
      this.running -= 1;
      this.flush();
    });
  }

  /** Writes a failed group again item by item: one item that cannot be stored must not fail the others. */
  private async writeGroup(group: Entry<Item, Result>[]): Promise<void> {
    const startedAt = performance.now();
    try {
      const results = await this.write(group.map(({ item }) => item));
      this.lastMs = performance.now() - startedAt;
      group.forEach(({ resolve }, index) => resolve(results[index] as Result));
    } catch (error) {
      if (group.length === 1) group[0]!.reject(error);
      else for (const entry of group) await this.writeGroup([entry]);
    }
  }
}

interface Limits {
  readonly windowMs: number;
  /** Default: the window does not grow. */
  readonly longestWindowMs?: number;
  readonly groupSize: number;
  readonly inFlight: number;
}

interface Entry<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}
