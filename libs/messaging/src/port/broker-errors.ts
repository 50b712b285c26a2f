import type { BrokerName } from '@app/contracts';

/**
 * The broker is away or does not answer in time. A message that was being published may have arrived. The caller
 * retries.
 */
export class BrokerUnavailable extends Error {
  readonly code = 'broker_unavailable';

  constructor(broker: BrokerName, reason: unknown) {
    super(`${broker} is away: ${reason instanceof Error ? reason.message : String(reason)}`, { cause: reason });
    this.name = 'BrokerUnavailable';
  }
}

/**
 * The broker answers, but has no queue, binding or topic for a message. A missing exchange of RabbitMQ closes the
 * channel, and is a `BrokerUnavailable`.
 */
export class Unroutable extends Error {
  readonly code = 'unroutable';

  constructor(broker: BrokerName, places: readonly string[]) {
    super(
      `${broker} has no queue, binding or topic for messages to ${[...new Set(places)].join(', ')}. It is set up again before the next attempt.`,
    );
    this.name = 'Unroutable';
  }
}

/**
 * A batch was not confirmed as a whole. A message is named by its index in the batch. A message that is in neither
 * list may or may not have arrived; `cause` says why this is unknown.
 */
export class PartlyPublished extends Error {
  readonly code = 'partly_published';

  /**
   * @param confirmed indexes of the messages that the broker has confirmed; the caller must not publish them again
   * @param refused reasons by index: the broker refuses these messages for good, for example for their size. Publishing
   *   them again cannot help
   * @param cause why the outcome of the other messages is unknown; undefined when there are no others
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
        (cause ? `; the outcome of the others is unknown: ${cause.message}` : '.'),
    );
    this.name = 'PartlyPublished';
  }
}

/** Collects the outcome of each message of one batch, by its index. */
export class Publication {
  /** The indexes of the messages that the broker has confirmed. */
  readonly confirmed = new Set<number>();
  /** The indexes of the messages that the broker refuses for good, each with the reason. */
  readonly refused = new Map<number, string>();
  private cause: Error | undefined;

  constructor(
    private readonly broker: BrokerName,
    private readonly size: number,
  ) {}

  /** Records that the outcome of some messages is unknown. Keeps the first cause. */
  lose(cause: Error): void {
    this.cause ??= cause;
  }

  /** @returns whether the outcome of a message is not known yet */
  isOpen(place: number): boolean {
    return !this.confirmed.has(place) && !this.refused.has(place);
  }

  /**
   * Publishes messages together. When the broker refuses the batch, publishes each half separately, and so on, until
   * the refused message is found. So every other message is written once.
   * @param places indexes of the messages
   * @param send publishes the messages with these indexes
   * @param isRefusal whether an error of `send` is a refusal for good
   * @throws the error of `send` when it is not a refusal
   */
  async send(
    places: readonly number[],
    send: (places: readonly number[]) => Promise<unknown>,
    isRefusal: (error: unknown) => boolean,
  ): Promise<void> {
    try {
      await send(places);
      for (const place of places) this.confirmed.add(place);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (places.length === 1) {
        this.refused.set(places[0]!, (error as Error).message);
        return;
      }
      const half = Math.ceil(places.length / 2);
      await this.send(places.slice(0, half), send, isRefusal);
      await this.send(places.slice(half), send, isRefusal);
    }
  }

  /**
   * Ends the batch; returns when all messages are confirmed.
   * @throws PartlyPublished when some messages are confirmed or refused, but not all are confirmed; the cause itself
   *   when none is confirmed or refused
   */
  conclude(): void {
    const { broker, confirmed, refused, cause } = this;
    if (confirmed.size === this.size) return;
    if (confirmed.size === 0 && refused.size === 0 && cause) throw cause;
    // A copy: a late confirmation must not change an error that was already thrown.
    throw new PartlyPublished(broker, new Set(confirmed), new Map(refused), cause);
  }
}
