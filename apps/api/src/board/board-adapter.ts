import { BaseAdapter } from '@bull-board/api/dist/queueAdapters/base.js';
import type { QueueAdapterOptions } from '@bull-board/api/typings/app';

/** The maximum number of rows that one request of the board returns. */
export const mostRows = 100;

/**
 * The base of every queue on the board. It refuses all actions of BullMQ, because the ledger owns the jobs. It shows
 * nothing that another service has stored in BullMQ, such as the templates of its schedulers. It extends the abstract
 * adapter on purpose: a method that a later Bull Board adds is a type error here and cannot leak data.
 */
export abstract class BoardAdapter extends BaseAdapter {
  protected constructor(options: Partial<QueueAdapterOptions> & { allowCompletedRetries?: boolean }) {
    super('bullmq', { prefix: '', allowCompletedRetries: false, ...options });
  }

  getQueueQualifiedName(): string {
    return this.getName();
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
