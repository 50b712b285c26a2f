import { BaseAdapter } from '@bull-board/api/dist/queueAdapters/base.js';
import type { QueueAdapterOptions } from '@bull-board/api/typings/app';

/** The most rows of one state that one request shows, whatever it asks for. */
export const mostRows = 100;

/**
 * What every row of the board has in common: nothing that a queue of BullMQ could do to a job, since the ledger decides
 * it, and nothing that shows what another service has stored in BullMQ, such as the templates of its schedulers. It is
 * written against the abstract adapter on purpose: what a later Bull Board asks for is a type error here, and no leak.
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
  /** Without it no tree of BullMQ's own parents and children is read, whose messages are whole. */
  getFlowProducer = () => Promise.resolve(null);
}

/** The board answers with the status that an error brings. */
export class Conflict extends Error {
  readonly statusCode = 409;
}

export function refuse(): Promise<never> {
  return Promise.reject(new Conflict('The ledger decides that; here a job can be retried or removed.'));
}

/** @returns which rows to read: `start` and `end` are inclusive, and whatever the request says */
export function pageOf(start: number, end: number): { offset: number; limit: number } {
  const offset = Math.max(0, start);
  return { offset, limit: Math.min(mostRows, Math.max(0, end - offset + 1)) };
}
