/**
 * Group commit: what concurrent callers ask of the database within `windowMs` becomes one statement.
 * While `inFlight` statements run, the next group grows, so the groups get larger the slower commits are:
 * the load sets the size, not a tuned number.
 */
export class Collector<Item, Result> {
  private waiting: Entry<Item, Result>[] = [];
  private running = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param write one statement for all items; its results are in the order of the items */
  constructor(
    private readonly write: (items: Item[]) => Promise<Result[]>,
    private readonly limits = { windowMs: 2, groupSize: 500, inFlight: 2 },
  ) {}

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (this.waiting.length >= this.limits.groupSize) this.flush();
      else this.timer ??= setTimeout(() => this.flush(), this.limits.windowMs);
    });
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

  /** A group that is refused is written item by item: one that cannot be stored must not fail its neighbours. */
  private async writeGroup(group: Entry<Item, Result>[]): Promise<void> {
    try {
      const results = await this.write(group.map(({ item }) => item));
      group.forEach(({ resolve }, index) => resolve(results[index] as Result));
    } catch (error) {
      if (group.length === 1) group[0]!.reject(error);
      else for (const entry of group) await this.writeGroup([entry]);
    }
  }
}

interface Entry<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}
