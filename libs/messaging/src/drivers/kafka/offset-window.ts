/**
 * The begun messages of one partition. They end in any order. Only the prefix of ended messages may be committed, since
 * a committed offset means that everything before it is done.
 */
export class OffsetWindow {
  private readonly begun: { readonly offset: bigint; done: boolean }[] = [];
  private next: bigint | undefined;
  private committed: bigint | undefined;

  /** @returns a function to call when the message is done */
  begin(offset: string): () => void {
    const entry = { offset: BigInt(offset), done: false };
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

  /** The offset to commit, which is the offset of the next message to read; undefined when nothing has changed. */
  get committable(): string | undefined {
    return this.next === this.committed ? undefined : this.next?.toString();
  }

  /** Records that this offset is committed. */
  wasCommitted(offset: string): void {
    this.committed = BigInt(offset);
  }
}
