/**
 * Shares reads between callers: a value is read once and then kept for `keepMs` ms. An error is shared like a result,
 * so many callers do not add load on a backend that does not answer.
 */
export class SharedReads {
  private readonly reads = new Map<string, Promise<unknown>>();

  constructor(private readonly keepMs: number) {}

  /** @param key identifies the value: calls with the same key share one result */
  get<Result>(key: string, read: () => Promise<Result>): Promise<Result> {
    const known = this.reads.get(key);
    if (known) return known as Promise<Result>;
    const reading = read();
    this.reads.set(key, reading);
    const forget = (): void => {
      setTimeout(() => this.reads.delete(key), this.keepMs).unref();
    };
    reading.then(forget, forget);
    return reading;
  }
}
