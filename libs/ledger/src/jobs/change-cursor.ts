/** A longer list of running transactions is not worth its place in the id of every event. */
const longestList = 20;

/** What a 64-bit transaction number cannot be. */
const tooLarge = 2n ** 63n;

/**
 * How far a reader has seen the changes of jobs: a snapshot, as PostgreSQL writes it (`xmin:xmax:xip,…`). All
 * transactions below xmax have ended when it was taken, but for those that are listed. One number could not say it:
 * transactions get theirs in one order and commit in another.
 */
export class ChangeCursor {
  private constructor(
    readonly end: bigint,
    /** Ascending, all below `end`. */
    private readonly running: readonly bigint[],
  ) {}

  /** @returns undefined for what PostgreSQL would not take as a snapshot */
  static parse(text: string): ChangeCursor | undefined {
    if (!/^\d{1,19}:\d{1,19}:(\d{1,19}(,\d{1,19})*)?$/.test(text)) return undefined;
    const [begin, end, list] = text.split(':') as [string, string, string];
    const running = list === '' ? [] : list.split(',').map(BigInt);
    const ascending = [BigInt(begin), ...running];
    const isAscending = ascending.every((xid, index) => index === 0 || ascending[index - 1]! <= xid);
    const isWithin = BigInt(begin) > 0n && ascending.at(-1)! <= BigInt(end) && BigInt(end) < tooLarge;
    if (!isAscending || !isWithin || running.at(-1) === BigInt(end)) return undefined;
    return new ChangeCursor(BigInt(end), running);
  }

  /** The cursor of a reader that has seen what this one has of the transactions below `xid`, and nothing of the others. */
  below(xid: bigint): ChangeCursor {
    return xid >= this.end
      ? this
      : new ChangeCursor(
          xid,
          this.running.filter((one) => one < xid),
        );
  }

  /** Whether it was taken after everything that this one has seen. */
  isAheadOf(other: ChangeCursor): boolean {
    return this.end > other.end;
  }

  toString(): string {
    const begin = this.running[0] ?? this.end;
    // Seen less than it was: what comes again is known again by its sequence.
    if (this.running.length > longestList) return `${begin}:${begin}:`;
    return `${begin}:${this.end}:${this.running.join()}`;
  }
}
