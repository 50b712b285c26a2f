/**
 * Who provides a feature on a broker: the broker itself (`native`), this system above it (`bus`), or neither (`none`: a
 * request for it is refused, at boot or with a 422).
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

/** Data, so that tests, boot checks and the comparison table use the same source. */
export type Capabilities = Readonly<Record<(typeof capabilityNames)[number], Support>>;
