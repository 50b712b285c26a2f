/**
 * With more running transactions than this, the cursor steps back: a longer list would make every event id too long.
 */
const longestList = 20;

/** 64-bit transaction numbers are below this. */
const tooLarge = 2n ** 63n;

/**
 * How far a reader has seen the changes of jobs: a snapshot as PostgreSQL writes it (`xmin:xmax:xip,…`). When it was
 * taken, all transactions below xmax had ended, except those listed. One number is not enough: transactions get their
 * numbers in one order and commit in another.
 */
export class ChangeCursor {
  private constructor(
    readonly end: bigint,
    /** Ascending, all below `end`. */
    private readonly running: readonly bigint[],
  ) {}

  /** @returns undefined for a text that PostgreSQL would not accept as a snapshot */
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

  /** @returns the cursor of a reader that has seen the same transactions below `xid`, and none from `xid` on */
  below(xid: bigint): ChangeCursor {
    return xid >= this.end
      ? this
      : new ChangeCursor(
          xid,
          this.running.filter((one) => one < xid),
        );
  }

  /** @returns whether this cursor ends after the other one */
  isAheadOf(other: ChangeCursor): boolean {
    return this.end > other.end;
  }

  toString(): string {
    const begin = this.running[0] ?? this.end;
    // Claims less than was seen: the reader recognises a repeated change by its sequence.
    if (this.running.length > longestList) return `${begin}:${begin}:`;
    return `${begin}:${this.end}:${this.running.join()}`;
  }
}
