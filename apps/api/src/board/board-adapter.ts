import { BaseAdapter } from '@bull-board/api/dist/queueAdapters/base.js';
import type { JobStatus, QueueAdapterOptions } from '@bull-board/api/typings/app';

/** The maximum number of rows that one request of the board returns. */
export const mostRows = 100;

/**
 * The base of every queue on the board. It refuses all actions of BullMQ, because the ledger owns the jobs. It shows
 * nothing that another service has stored in BullMQ, such as the templates of its schedulers. It extends the abstract
 * adapter on purpose: a method that a later Bull Board adds is a type error here and cannot leak data.
 */
export abstract class BoardAdapter<Shown extends JobStatus> extends BaseAdapter {
  protected constructor(
    private readonly name: string,
    private readonly statuses: readonly Shown[],
    options: Partial<QueueAdapterOptions>,
  ) {
    super('bullmq', { prefix: '', allowCompletedRetries: false, ...options });
  }

  getName(): string {
    return this.name;
  }

  /** Bull Board calls it for each adapter of the type `bullmq`, although its base class does not declare it. */
  getQueueQualifiedName(): string {
    return this.name;
  }

  getStatuses(): ('latest' | Shown)[] {
    return ['latest', ...this.statuses];
  }

  getJobStatuses(): Shown[] {
    return [...this.statuses];
  }

  clean = refuse;
  addJob = refuse;
  pause = refuse;
  resume = refuse;
  empty = refuse;
  obliterate = refuse;
  promoteAll = refuse;
  removeJobScheduler = refuse;
  updateJobScheduler = refuse;
  runJobSchedulerNow = refuse;
  setGlobalConcurrency = refuse;
  isPaused = (): Promise<boolean> => Promise.resolve(false);
  getGlobalConcurrency = () => Promise.resolve(null);
  getRedisInfo = () => Promise.resolve(null);
  getMetrics = () => Promise.resolve({ meta: { count: 0, prevTS: 0, prevCount: 0 }, data: [], count: 0 });
  getJobSchedulers = () => Promise.resolve([]);
  getJobSchedulersCount = () => Promise.resolve(0);
  /** Without a flow producer, the board reads no trees of BullMQ, whose messages would include their payloads. */
  getFlowProducer = () => Promise.resolve(null);
}

/** An error for the board, which answers with its `statusCode`. */
export class Conflict extends Error {
  readonly statusCode = 409;
}

export function refuse(): Promise<never> {
  return Promise.reject(new Conflict('The ledger controls that. The board can only retry or remove a job.'));
}

/**
 * Converts a range to a page of at most `mostRows` rows.
 * @param start the first row, from 0; unchecked input
 * @param end the last row, inclusive; unchecked input
 */
export function pageOf(start: number, end: number): { offset: number; limit: number } {
  const offset = Math.max(0, start);
  return { offset, limit: Math.min(mostRows, Math.max(0, end - offset + 1)) };
}

/** How long a result is shared, in ms, for any number of open boards. */
const keepMs = 1_000;

/**
 * Shares reads between callers: a value is read once and then kept for `keepMs` ms. An error is shared like a result,
 * so many callers do not add load on a backend that does not answer.
 */
export class SharedReads {
  private readonly reads = new Map<string, Promise<unknown>>();

  /** @param key identifies the value: calls with the same key share one result */
  get<Result>(key: string, read: () => Promise<Result>): Promise<Result> {
    const known = this.reads.get(key);
    if (known) return known as Promise<Result>;
    const reading = read();
    this.reads.set(key, reading);
    const forget = (): void => {
      setTimeout(() => this.reads.delete(key), keepMs).unref();
    };
    reading.then(forget, forget);
    return reading;
  }
}
