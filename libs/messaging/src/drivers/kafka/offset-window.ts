interface Entry {
  readonly offset: bigint;
  done: boolean;
}

/**
 * The messages of one partition that were begun. They end in any order; what may be committed is the prefix that
 * has ended, since a committed offset says that everything before it is done.
 */
export class OffsetWindow {
  private readonly begun: Entry[] = [];
  private next: bigint | undefined;
  private committed: bigint | undefined;

  /** @returns what to call when the message is done */
  begin(offset: string): () => void {
    const entry: Entry = { offset: BigInt(offset), done: false };
    this.begun.push(entry);
    return () => {
      entry.done = true;
      let ended = 0;
      while (this.begun[ended]?.done) ended += 1;
      if (ended === 0) return;
      this.next = this.begun[ended - 1]!.offset + 1n;
      this.begun.splice(0, ended);
    };
  }

  /** The offset to commit, which is that of the next message to be read; undefined where nothing has changed. */
  get committable(): string | undefined {
    return this.next === this.committed ? undefined : this.next?.toString();
  }

  wasCommitted(offset: string): void {
    this.committed = BigInt(offset);
  }
}
