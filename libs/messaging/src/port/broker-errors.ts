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
