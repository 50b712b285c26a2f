import type { BrokerName } from '@app/contracts';

/** The broker does not take or give messages now. Whatever was to be sent may have arrived. */
export class BrokerUnavailable extends Error {
  readonly code = 'broker_unavailable';

  constructor(broker: BrokerName, reason: unknown) {
    super(`${broker} is away: ${reason instanceof Error ? reason.message : String(reason)}`, { cause: reason });
    this.name = 'BrokerUnavailable';
  }
}

/** The broker answers, but has no place for a message: its queue, exchange, binding or topic is missing. */
export class Unroutable extends Error {
  readonly code = 'unroutable';

  constructor(broker: BrokerName, places: readonly string[]) {
    super(
      `${broker} has no place for messages to ${[...new Set(places)].join(', ')}. What is missing is set up again before the next try.`,
    );
    this.name = 'Unroutable';
  }
}

/**
 * A batch did not arrive as a whole. Messages are named by their places in it; those that are in neither list may or
 * may not have arrived, and `cause` says why that is unknown.
 */
export class PartlyPublished extends Error {
  readonly code = 'partly_published';

  /**
   * @param confirmed by the broker: they must not be sent again
   * @param refused for what they are, too large for instance, and why: to send them again cannot help
   */
  constructor(
    broker: BrokerName,
    readonly confirmed: ReadonlySet<number>,
    readonly refused: ReadonlyMap<number, string>,
    override readonly cause: Error | undefined,
  ) {
    const [reason] = refused.values();
    super(
      `${broker} confirmed ${confirmed.size} messages and refused ${refused.size}${reason === undefined ? '' : ` (${reason})`}` +
        (cause ? `; of the others nothing is known: ${cause.message}` : '.'),
    );
    this.name = 'PartlyPublished';
  }
}

/** What has become of the messages of one batch. */
export class Publication {
  private readonly confirmed = new Set<number>();
  private readonly refused = new Map<number, string>();
  private cause: Error | undefined;

  constructor(
    private readonly broker: BrokerName,
    private readonly size: number,
  ) {}

  confirm(places: readonly number[]): void {
    for (const place of places) this.confirmed.add(place);
  }

  refuse(place: number, reason: string): void {
    this.refused.set(place, reason);
  }

  /** Of some messages nothing is known. The first reason stands. */
  lose(cause: Error): void {
    this.cause ??= cause;
  }

  get refusals(): ReadonlyMap<number, string> {
    return this.refused;
  }

  isOpen(place: number): boolean {
    return !this.confirmed.has(place) && !this.refused.has(place);
  }

  /**
   * Sends messages together, and those of a batch that is refused in ever smaller ones, until the one is found that
   * it was refused for: its neighbours are written once.
   * @throws the error of `send` that is no refusal
   */
  async send(
    places: readonly number[],
    send: (places: readonly number[]) => Promise<unknown>,
    isRefusal: (error: unknown) => boolean,
  ): Promise<void> {
    try {
      await send(places);
      this.confirm(places);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (places.length === 1) {
        this.refuse(places[0]!, (error as Error).message);
        return;
      }
      const half = Math.ceil(places.length / 2);
      await this.send(places.slice(0, half), send, isRefusal);
      await this.send(places.slice(half), send, isRefusal);
    }
  }

  /**
   * @throws PartlyPublished where not all messages were confirmed; the cause itself where none was confirmed or refused
   */
  conclude(): void {
    const { broker, confirmed, refused, cause } = this;
    if (confirmed.size === this.size) return;
    if (confirmed.size === 0 && refused.size === 0 && cause) throw cause;
    // A copy: what is confirmed later has no reader any more.
    throw new PartlyPublished(broker, new Set(confirmed), new Map(refused), cause);
  }
}
