/**
 * However many look at the same thing at the same time, it is read once, and then not again for `keepMs`. An error is
 * shared like a result: what does not answer is not asked more often because many ask.
 */
export class SharedReads {
  private readonly reads = new Map<string, Promise<unknown>>();

  constructor(private readonly keepMs: number) {}

  /** @param key what is read: the same key, the same result */
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
