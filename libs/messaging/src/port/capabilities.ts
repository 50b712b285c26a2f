/**
 * Who keeps a promise on a broker: the broker itself (`native`), this library above it (`bus`), or nobody
 * (`none`: asking for it is refused, at boot or with a 422).
 */
export type Support = 'native' | 'bus' | 'none';

export const capabilityNames = ['priority', 'rateLimit', 'concurrency', 'delay', 'retry', 'deadLetter'] as const;

/** Data, so that tests, boot checks and the comparison table read one and the same thing. */
export type Capabilities = Readonly<Record<(typeof capabilityNames)[number], Support>>;
