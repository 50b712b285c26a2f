import { AsyncResource } from 'node:async_hooks';

/** How long a group collects, in milliseconds. */
const shortestWindowMs = 1;
const longestWindowMs = 10;

/** The fewest items for which another statement begins while one runs: a statement costs as much as some items. */
const worthAnother = 64;

export interface BatcherOptions {
  /** The most items of a group. Default: 500. */
  readonly groupSize?: number;
  /** How many statements run at once. Default: 1, so that no group overtakes an earlier one. */
  readonly atOnce?: number;
}

/**
 * For the two statements of every job. While PostgreSQL writes one group, this process works on the results of another:
 * measured, two groups of 250 at once drain faster than one of 500.
 */
export const hotGroups: BatcherOptions = { groupSize: 250, atOnce: 2 };

/**
 * Group commit: combines the requests of concurrent callers into one statement. While as many statements run as may, the
 * next group grows. A group collects for half as long as the last statement took, within the limits above: the slower
 * the commits, the larger the groups.
 */
export class Batcher<Item, Result> {
  private waiting: Entry<Item, Result>[] = [];
  private writing = 0;
  private timer: NodeJS.Timeout | undefined;
  private lastMs = 0;

  private readonly groupSize: number;
  private readonly atOnce: number;

  /** @param write one statement for all items; returns the results in the order of the items */
  constructor(
    private readonly write: (items: Item[]) => Promise<Result[]>,
    { groupSize = 500, atOnce = 1 }: BatcherOptions = {},
  ) {
    this.groupSize = groupSize;
    this.atOnce = atOnce;
  }

  /**
   * Adds an item to the next group.
   * @returns the result of this item
   * @throws the error of `write` for this item
   */
  add(item: Item): Promise<Result> {
    const windowMs = Math.max(shortestWindowMs, Math.min(this.lastMs / 2, longestWindowMs));
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (this.waiting.length >= this.groupSize) this.flush();
      else this.timer ??= setTimeout(() => this.flush(), windowMs);
    });
  }

  /** Bound to the context in which the batcher was made: a group belongs to the trace of none of its items. */
  private readonly flush = AsyncResource.bind((): void => {
    clearTimeout(this.timer);
    this.timer = undefined;
    const fewest = this.writing === 0 ? 1 : Math.min(this.groupSize, worthAnother);
    if (this.waiting.length < fewest || this.writing >= this.atOnce) return;
    const group = this.waiting.splice(0, this.groupSize);
    this.writing += 1;
    void this.writeGroup(group).finally(() => {
      this.writing -= 1;
      this.flush();
    });
  });

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

interface Entry<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}
