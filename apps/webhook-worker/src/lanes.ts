const shortestMs = 1_000;
const longestMs = 60_000;

interface Lane {
  /** When each of those that are under way began. */
  readonly begun: Set<{ readonly at: number }>;
  lastMs: number;
}

/**
 * So many requests at once to one endpoint, and no more: one that is slow, or takes connections and never answers,
 * holds up its own deliveries and leaves the other slots of the process to the others.
 */
export class Lanes {
  private readonly lanes = new Map<string, Lane>();

  constructor(private readonly width: number) {}

  /** @returns what gives the place back; or how long to stay away, which is longer the slower the endpoint is */
  enter(endpointId: string): { leave: () => void } | { waitMs: number } {
    const lane = this.lanes.get(endpointId) ?? { begun: new Set(), lastMs: 0 };
    if (lane.begun.size >= this.width) return { waitMs: this.waitMs(lane) };
    const passage = { at: performance.now() };
    this.lanes.set(endpointId, lane);
    lane.begun.add(passage);
    return {
      leave: () => {
        lane.begun.delete(passage);
        lane.lastMs = performance.now() - passage.at;
        if (lane.begun.size === 0) this.lanes.delete(endpointId);
      },
    };
  }

  /** Spread out, so that those who are turned away do not come back together. */
  private waitMs({ begun, lastMs }: Lane): number {
    const [oldest] = begun;
    const slowness = Math.max(lastMs, performance.now() - oldest!.at);
    const longest = Math.min(longestMs, Math.max(shortestMs, slowness * this.width));
    return Math.round(shortestMs / 2 + Math.random() * longest);
  }
}
