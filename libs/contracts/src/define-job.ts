import type { z } from 'zod';
import type { BrokerName } from './broker';
import { assertValid, defaultPartitions, isWhole, kindPattern, latestVersion } from './definition-checks';
import { longestTimerMs, toMs, type Duration } from './duration';
import { retryChecks, type RetryPolicy } from './retry-policy';

/**
 * Work with an outcome: one worker, a row in the ledger, progress, a result. The producer's types, the worker's
 * options, the broker topology and the API documents derive from it.
 */
export interface JobDefinition<Payload extends z.ZodType = z.ZodType, Result extends z.ZodType = z.ZodType> {
  /** The stable name, `noun.verb`. It stays when classes and files are renamed. */
  readonly kind: string;
  /** Rises when the shape of the payload changes; `upcast` converts older payloads. */
  readonly version: number;
  readonly queue: string;
  /** A preference: `bullmq` is used when this broker is not configured. */
  readonly broker: BrokerName;
  readonly payload: Payload;
  readonly result: Result;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
  /** How many handlers run at once in one process, over all brokers. */
  readonly concurrency: number;
  /**
   * How many of these handlers one tenant may use in one process; the rest stay free for other tenants. Undefined: all
   * of them. For work that a tenant can make slow, such as requests to its own servers, or that takes minutes.
   */
  readonly concurrencyPerTenant?: number;
  /** How many jobs may start in a period, over all processes of the queue. */
  readonly rateLimit?: { readonly max: number; readonly perMs: number };
  /** Jobs of one tenant with the same key run one after another, in the order in which they were accepted. */
  readonly orderBy?: (payload: never) => string;
  /** How many processes can share the queue, for a broker that must know in advance. */
  readonly partitions: number;
  /** Whether `job.finished` is published for its jobs. */
  readonly announced: boolean;
  /**
   * Whether a new job with a corrected payload can take the place of a failed one. False for a kind whose feature writes
   * rows of its own beside each job.
   */
  readonly replaceable: boolean;
  /** Converts the payload of an older version to the current one. */
  readonly upcast?: (payload: unknown, version: number) => unknown;
  /** The result as callers see it, with a URL beside each file. URLs expire, so this runs at each reading. */
  readonly withLinks?: (result: never, urlOf: (fileId: string) => string) => unknown;
}

export type PayloadOf<D extends JobDefinition> = z.output<D['payload']>;
export type ResultOf<D extends JobDefinition> = z.output<D['result']>;

const queuePattern = /^[a-z][a-z0-9-]*$/;

/** @throws RangeError, when the definition is loaded, that names each invalid field */
export function defineJob<Payload extends z.ZodType, Result extends z.ZodType>(
  input: Omit<
    JobDefinition<Payload, Result>,
    'timeoutMs' | 'rateLimit' | 'orderBy' | 'partitions' | 'announced' | 'replaceable' | 'withLinks'
  > & {
    timeout: Duration;
    rateLimit?: { max: number; per: Duration };
    orderBy?: (payload: z.output<Payload>) => string;
    partitions?: number;
    announced?: boolean;
    replaceable?: boolean;
    withLinks?: (result: z.output<Result>, urlOf: (fileId: string) => string) => unknown;
  },
): JobDefinition<Payload, Result> {
  const { timeout, rateLimit, partitions = defaultPartitions, announced = true, replaceable = true, ...rest } = input;
  const { kind, version, queue, concurrency, concurrencyPerTenant } = rest;
  assertValid(`Job definition "${kind}"`, [
    kindPattern.test(kind) || `kind: expected "noun.verb" in lower case, got "${kind}"`,
    queuePattern.test(queue) || `queue: expected lower case letters, digits and dashes, got "${queue}"`,
    isWhole(version, latestVersion) || `version: expected a whole number from 1 to ${latestVersion}, got ${version}`,
    ...retryChecks(rest.retry),
    timerCheck('timeout', timeout),
    rateLimit === undefined || timerCheck('rateLimit.per', rateLimit.per),
    isWhole(concurrency) || `concurrency: expected 1 or more, got ${concurrency}`,
    concurrencyPerTenant === undefined ||
      isWhole(concurrencyPerTenant, concurrency) ||
      `concurrencyPerTenant: expected 1 to ${concurrency} (concurrency), got ${concurrencyPerTenant}`,
    isWhole(partitions) || `partitions: expected 1 or more, got ${partitions}`,
    rateLimit === undefined || isWhole(rateLimit.max) || `rateLimit.max: expected 1 or more, got ${rateLimit.max}`,
  ]);
  return {
    ...rest,
    timeoutMs: toMs(timeout),
    ...(rateLimit && { rateLimit: { max: rateLimit.max, perMs: toMs(rateLimit.per) } }),
    partitions,
    announced,
    replaceable,
  };
}

/** @returns true, or the fault of a duration that is too long for a timer of Node */
function timerCheck(field: string, duration: Duration): true | string {
  return toMs(duration) <= longestTimerMs || `${field}: expected at most 24 days, got "${duration}"`;
}
