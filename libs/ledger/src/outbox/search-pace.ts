/** A slow whole search is repeated after this many times as long as it took, so that it costs a tenth of the time. */
const restFactor = 10;

/**
 * Decides how often an outbox is searched from its beginning.
 *
 * As long as any transaction of the server is open, such as a backup or a forgotten session, PostgreSQL keeps the rows that
 * were deleted since it began, and a search from the beginning reads all of them: at some hundred thousand, the relay would
 * be slower than its workers. When that becomes slow, a search begins where the last one ended. What is behind that place
 * is found by a whole search now and then: rows whose transaction committed late, rows that another relay had locked, and
 * rows that were taken and not published.
 */
export class SearchPace {
  private wholeAgainAt = 0;
  private startedAt = 0;
  /** Whether the search that began last is, or was, a whole one. */
  isWhole = true;

  /** @param cheapMs a whole search that takes less, in ms, may be repeated at once */
  constructor(private readonly cheapMs = 2) {}

  /** Begins a search. @returns whether it is a whole one */
  begin(): boolean {
    this.startedAt = performance.now();
    this.isWhole = this.startedAt >= this.wholeAgainAt;
    return this.isWhole;
  }

  /** The search has ended. @param wasWorthIt a whole one may then be repeated at once, too */
  end(wasWorthIt = false): void {
    if (!this.isWhole) return;
    const endedAt = performance.now();
    const tookMs = endedAt - this.startedAt;
    if (tookMs >= this.cheapMs && !wasWorthIt) this.wholeAgainAt = endedAt + restFactor * tookMs;
  }

  /** Milliseconds until the next search may be a whole one; at least 1. */
  get restMs(): number {
    return Math.max(1, this.wholeAgainAt - performance.now());
  }
}
