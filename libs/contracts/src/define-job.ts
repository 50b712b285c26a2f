import type { z } from 'zod';
import type { BrokerName } from './broker';
import { defaultPartitions } from './define-event';
import { longestTimerMs, toMs, type Duration } from './duration';
import { retryFaults, type RetryPolicy } from './retry-policy';

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
  readonly concurrencyPerTenant: number | undefined;
  /** How many jobs may start in a period, over all processes of the queue. */
  readonly rateLimit: { readonly max: number; readonly perMs: number } | undefined;
  /** Jobs of one tenant with the same key run one after another, in the order in which they were accepted. */
  readonly orderBy: ((payload: never) => string) | undefined;
  /** How many processes can share the queue, for a broker that must know in advance. */
  readonly partitions: number;
  /** Whether `job.finished` is published for its jobs. */
  readonly announced: boolean;
  /** Converts the payload of an older version to the current one. */
  readonly upcast: ((payload: unknown, version: number) => unknown) | undefined;
  /** The result as callers see it, with a URL beside each file. URLs expire, so this runs at each reading. */
  readonly withLinks: ((result: never, urlOf: (fileId: string) => string) => unknown) | undefined;
}

export type PayloadOf<D extends JobDefinition> = z.output<D['payload']>;
export type ResultOf<D extends JobDefinition> = z.output<D['result']>;

const kindPattern = /^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/;
/** A message holds the version in at most four digits. */
const latestVersion = 9_999;
const queuePattern = /^[a-z][a-z0-9-]*$/;

/** @throws RangeError, when the definition is loaded, that names each invalid field */
export function defineJob<Payload extends z.ZodType, Result extends z.ZodType>(input: {
  kind: string;
  version: number;
  queue: string;
  broker: BrokerName;
  payload: Payload;
  result: Result;
  retry: RetryPolicy;
  timeout: Duration;
  concurrency: number;
  concurrencyPerTenant?: number;
  rateLimit?: { max: number; per: Duration };
  orderBy?: (payload: z.output<Payload>) => string;
  partitions?: number;
  announced?: boolean;
  upcast?: (payload: unknown, version: number) => unknown;
  withLinks?: (result: z.output<Result>, urlOf: (fileId: string) => string) => unknown;
}): JobDefinition<Payload, Result> {
  const { partitions = defaultPartitions, announced = true, concurrencyPerTenant } = input;
  const faults = [
    kindPattern.test(input.kind) || `kind: expected "noun.verb" in lower case, got "${input.kind}"`,
    queuePattern.test(input.queue) || `queue: expected lower case letters, digits and dashes, got "${input.queue}"`,
    (isWholeFrom1(input.version) && input.version <= latestVersion) ||
      `version: expected a whole number from 1 to ${latestVersion}, got ${input.version}`,
    ...retryFaults(input.retry),
    ...timerFault('timeout', input.timeout),
    ...timerFault('rateLimit.per', input.rateLimit?.per),
    isWholeFrom1(input.concurrency) || `concurrency: expected 1 or more, got ${input.concurrency}`,
    concurrencyPerTenant === undefined ||
      (isWholeFrom1(concurrencyPerTenant) && concurrencyPerTenant <= input.concurrency) ||
      `concurrencyPerTenant: expected 1 to ${input.concurrency} (concurrency), got ${concurrencyPerTenant}`,
    isWholeFrom1(partitions) || `partitions: expected 1 or more, got ${partitions}`,
    input.rateLimit === undefined ||
      isWholeFrom1(input.rateLimit.max) ||
      `rateLimit.max: expected 1 or more, got ${input.rateLimit.max}`,
  ].filter((fault) => fault !== true);
  if (faults.length > 0) {
    throw new RangeError(`Job definition "${input.kind}" is invalid:\n- ${faults.join('\n- ')}`);
  }
  return {
    kind: input.kind,
    version: input.version,
    queue: input.queue,
    broker: input.broker,
    payload: input.payload,
    result: input.result,
    retry: input.retry,
    timeoutMs: toMs(input.timeout),
    concurrency: input.concurrency,
    concurrencyPerTenant,
    rateLimit: input.rateLimit && { max: input.rateLimit.max, perMs: toMs(input.rateLimit.per) },
    orderBy: input.orderBy,
    partitions,
    announced,
    upcast: input.upcast,
    withLinks: input.withLinks,
  };
}

/** @returns a fault for a duration that is too long for a timer of Node; otherwise nothing */
function timerFault(field: string, duration: Duration | undefined): string[] {
  if (duration === undefined || toMs(duration) <= longestTimerMs) return [];
  return [`${field}: expected at most 24 days, got "${duration}"`];
}

function isWholeFrom1(value: number): boolean {
  return Number.isInteger(value) && value >= 1;
}
