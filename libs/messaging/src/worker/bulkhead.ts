const shortestMs = 1_000;
const longestMs = 60_000;

interface Compartment {
  /** When each call in flight began, the oldest first. */
  readonly begun: Set<{ readonly at: number }>;
  /** The call that ended last: when, and how many milliseconds it took. */
  left: { readonly at: number; readonly tookMs: number } | undefined;
}

/**
 * Limits the calls in flight to `width` per name, in this process: a slow or hanging target blocks only its own name
 * (the bulkhead pattern). A call does not wait here. It is refused with a wait time, so that it does not occupy a slot,
 * or a message of the broker's prefetch, that another name could use.
 */
export class Bulkhead {
  private readonly compartments = new Map<string, Compartment>();

  constructor(private readonly width: number) {}

  /**
   * @returns `leave`, to be called once when the call ends; or `waitMs`, the milliseconds until the next try, longer
   *   the slower the name is
   */
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
   * The time that the last call took. When no call has ended since the oldest began, the time since the oldest began.
   * Random, so that refused calls do not come back together.
   */
  private waitMs({ begun, left }: Compartment): number {
    const [oldest] = begun;
    const slowness = left && left.at > oldest!.at ? left.tookMs : performance.now() - oldest!.at;
    const longest = Math.min(longestMs, Math.max(shortestMs, slowness * this.width));
    return Math.round(shortestMs / 2 + Math.random() * longest);
  }
}
