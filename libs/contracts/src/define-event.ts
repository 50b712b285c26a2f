import type { z } from 'zod';
import type { BrokerName } from './broker';
import { longestTimerMs } from './duration';
import { exponential, retryFaults, type RetryPolicy } from './retry-policy';

/**
 * A fact for whoever cares: any number of subscribers, each of which gets it once. Nobody waits for it, so it has
 * no ledger row: an outbox row on its way out, a row in the dedupe table per subscriber on its way in.
 */
export interface EventDefinition<Data extends z.ZodType = z.ZodType> {
  /** The stable name, `noun.participle`. */
  readonly kind: string;
  readonly version: number;
  /** A preference: where this broker is not configured, `bullmq` serves. */
  readonly broker: BrokerName;
  readonly data: Data;
  /** Facts about the same thing have the same key. */
  readonly key: ((data: never) => string) | undefined;
  /** Who gets it. A name is for ever: under a new one, a subscriber begins anew. */
  readonly subscribers: readonly string[];
  readonly partitions: number;
  /** How often, and when, a subscriber tries an event that it could not handle. The events behind it wait. */
  readonly retry: RetryPolicy;
}

export type DataOf<E extends EventDefinition> = z.output<E['data']>;

const kindPattern = /^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/;
const subscriberPattern = /^[a-z][a-z0-9-]*(@\d+)?$/;

export const defaultPartitions = 4;

const someSeconds = exponential({ attempts: 6, base: '100ms', max: '2s', jitter: 'full' });

/** @throws RangeError that names each field which cannot be kept, at the moment the definition is loaded */
export function defineEvent<Data extends z.ZodType>(input: {
  kind: string;
  version: number;
  broker: BrokerName;
  data: Data;
  key?: (data: z.output<Data>) => string;
  subscribers: readonly string[];
  partitions?: number;
  retry?: RetryPolicy;
}): EventDefinition<Data> {
  const { partitions = defaultPartitions, retry = someSeconds, subscribers } = input;
  const faults = [
    kindPattern.test(input.kind) || `kind: expected "noun.participle" in lower case, got "${input.kind}"`,
    (Number.isInteger(input.version) && input.version >= 1 && input.version <= 9_999) ||
      `version: expected a whole number from 1 to 9999, got ${input.version}`,
    (Number.isInteger(partitions) && partitions >= 1) || `partitions: expected 1 or more, got ${partitions}`,
    ...retryFaults(retry, longestTimerMs),
    new Set(subscribers).size === subscribers.length ||
      `subscribers: expected each once, got ${subscribers.join(', ')}`,
    ...subscribers.map(
      (name) =>
        subscriberPattern.test(name) || `subscribers: expected lower case letters, digits and dashes, got "${name}"`,
    ),
  ].filter((fault) => fault !== true);
  if (faults.length > 0) {
    throw new RangeError(`Event definition "${input.kind}" cannot be kept:\n- ${faults.join('\n- ')}`);
  }
  return { ...input, key: input.key, partitions, retry };
}
