const shortestMs = 1_000;
const longestMs = 60_000;

interface Compartment {
  /** When each of those that are in flight began, the oldest first. */
  readonly begun: Set<{ readonly at: number }>;
  /** The one that has left last: when, and how long it took. */
  left: { readonly at: number; readonly tookMs: number } | undefined;
}

/**
 * At most `width` in flight for one name, in this process: what is slow, or never ends, holds up its own name only
 * (the bulkhead pattern). Nothing waits here. What finds no place is told how long to stay away, so that it does not
 * occupy a slot, or a place in the broker's prefetch, that another name could use.
 */
export class Bulkhead {
  private readonly compartments = new Map<string, Compartment>();

  constructor(private readonly width: number) {}

  /** @returns what gives the place back, to be called once; or how long to stay away, longer the slower the name is */
  enter(name: string): { leave: () => void } | { waitMs: number } {
    const compartment = this.compartments.get(name) ?? { begun: new Set(), left: undefined };
    if (compartment.begun.size >= this.width) return { waitMs: this.waitMs(compartment) };
    const passage = { at: performance.now() };
    this.compartments.set(name, compartment);
    compartment.begun.add(passage);
    return {
      leave: () => {
        compartment.begun.delete(passage);
        const at = performance.now();
        compartment.left = { at, tookMs: at - passage.at };
        if (compartment.begun.size === 0) this.compartments.delete(name);
      },
    };
  }

  /**
   * As long as the one took that has left last. Where none has left since the oldest began, as long as the oldest has
   * taken. Random, so that what is turned away together does not come back together.
   */
  private waitMs({ begun, left }: Compartment): number {
    const [oldest] = begun;
    const slowness = left && left.at > oldest!.at ? left.tookMs : performance.now() - oldest!.at;
    const longest = Math.min(longestMs, Math.max(shortestMs, slowness * this.width));
    return Math.round(shortestMs / 2 + Math.random() * longest);
  }
}
