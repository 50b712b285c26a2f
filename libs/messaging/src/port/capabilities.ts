/**
 * Who provides a feature on a broker. `native`: the broker or its client. `bus`: this system; the driver provides
 * `broadcast`, the code above it the rest. `none`: the feature is missing. With `none`, this system refuses a rate limit
 * or a replay at boot, and a priority with a 422. With `eventOrder: 'none'`, it accepts events with a key but does not
 * keep their order.
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
