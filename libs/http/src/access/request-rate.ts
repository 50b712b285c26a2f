/**
 * Counts requests by tenant in a window of one second that slides: the requests of the second before count for the part of
 * it that is still in the window. The time of a count does not depend on the number of requests.
 */
export class RequestRate {
  private second = 0;
  private current = new Map<string, number>();
  private before = new Map<string, number>();

  constructor(private readonly perSecond: number) {}

  /**
   * Counts a request, unless it would be one too many.
   * @param now milliseconds of a clock that only goes forward
   * @returns whether the tenant may make this request
   */
  admits(tenant: string, now = performance.now()): boolean {
    const second = Math.floor(now / 1_000);
    if (second !== this.second) {
      this.before = second === this.second + 1 ? this.current : new Map<string, number>();
      this.current = new Map();
      this.second = second;
    }
    const count = this.current.get(tenant) ?? 0;
    const stillInWindow = ((this.before.get(tenant) ?? 0) * ((second + 1) * 1_000 - now)) / 1_000;
    if (count + stillInWindow + 1 > this.perSecond) return false;
    this.current.set(tenant, count + 1);
    return true;
  }
}
