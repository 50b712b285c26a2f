import type { z } from 'zod';
import type { BrokerName } from './broker';
import { assertValid, defaultPartitions, isWhole, kindPattern, latestVersion } from './definition-checks';
import { longestTimerMs } from './duration';
import { exponential, retryChecks, type RetryPolicy } from './retry-policy';

/**
 * A domain event with any number of subscribers, each of which gets it. No caller waits for it, so it has no row in the
 * ledger: an outbox row before it is published, and a row in the table `processed_message` per subscriber.
 */
export interface EventDefinition<Data extends z.ZodType = z.ZodType> {
  /** The stable name, `noun.participle`. */
  readonly kind: string;
  readonly version: number;
  /** A preference: `bullmq` is used when this broker is not configured. */
  readonly broker: BrokerName;
  readonly data: Data;
  /** Events about the same thing have the same key. */
  readonly key?: ((data: never) => string) | undefined;
  /**
   * The subscribers that get it. How far a subscriber has come is kept under its name, so a name must never be reused.
   * A subscriber with a new name begins with the first event that a broker with replay still has, or else with the next.
   */
  readonly subscribers: readonly string[];
  readonly partitions: number;
  /** How often, and when, a subscriber retries an event that it could not handle. Later events wait meanwhile. */
  readonly retry: RetryPolicy;
}

export type DataOf<E extends EventDefinition> = z.output<E['data']>;

const subscriberPattern = /^[a-z][a-z0-9-]*(@\d+)?$/;

const someSeconds = exponential({ attempts: 6, base: '100ms', max: '2s', jitter: 'full' });

/** @throws RangeError, when the definition is loaded, that names each invalid field */
export function defineEvent<Data extends z.ZodType>(
  input: Omit<EventDefinition<Data>, 'key' | 'partitions' | 'retry'> & {
    key?: (data: z.output<Data>) => string;
    partitions?: number;
    retry?: RetryPolicy;
  },
): EventDefinition<Data> {
  const { kind, version, subscribers, partitions = defaultPartitions, retry = someSeconds } = input;
  assertValid(`Event definition "${kind}"`, [
    kindPattern.test(kind) || `kind: expected "noun.participle" in lower case, got "${kind}"`,
    isWhole(version, latestVersion) || `version: expected a whole number from 1 to ${latestVersion}, got ${version}`,
    isWhole(partitions) || `partitions: expected 1 or more, got ${partitions}`,
    ...retryChecks(retry, longestTimerMs),
    new Set(subscribers).size === subscribers.length ||
      `subscribers: expected each once, got ${subscribers.join(', ')}`,
    ...subscribers.map(
      (name) =>
        subscriberPattern.test(name) || `subscribers: expected lower case letters, digits and dashes, got "${name}"`,
    ),
  ]);
  return { ...input, partitions, retry };
}
