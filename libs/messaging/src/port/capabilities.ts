/**
 * Who keeps a promise on a broker: the broker itself (`native`), this library above it (`bus`), or nobody
 * (`none`: asking for it is refused, at boot or with a 422).
 */
export const supports = ['native', 'bus', 'none'] as const;

export type Support = (typeof supports)[number];

export const capabilityNames = [
  'priority',
  'rateLimit',
  'concurrency',
  'orderPerKey',
  'broadcast',
  'eventOrder',
  'replay',
  'delay',
  'retry',
  'deadLetter',
] as const;

/** Data, so that tests, boot checks and the comparison table read one and the same thing. */
export type Capabilities = Readonly<Record<(typeof capabilityNames)[number], Support>>;
