import type { JobCounts, JobStatus, QueueJob } from '@bull-board/api/typings/app';
import { BaseAdapter } from '@bull-board/api/dist/queueAdapters/base.js';
import type { Pool } from 'pg';
import type { JobState } from '@app/contracts';
import {
  cancelJob,
  countBoardJobs,
  listBoardJobs,
  readBoardJob,
  readBoardLog,
  type BoardFilter,
  type BoardJob,
  type OutboxWakeUp,
} from '@app/persistence';
import { isUuid } from '../http/is-uuid';
import type { Redriver } from '../operations/redriver';
import { boardRequest } from './board-request';

/** The ledger's states in the board's words. A cancelled job has ended, so it stands with the completed ones. */
const shown = {
  active: { states: ['active'], isDue: undefined },
  waiting: { states: ['queued'], isDue: true },
  'waiting-children': { states: ['waiting'], isDue: undefined },
  delayed: { states: ['queued'], isDue: false },
  completed: { states: ['completed', 'cancelled'], isDue: undefined },
  failed: { states: ['failed'], isDue: undefined },
} as const satisfies Partial<Record<JobStatus, BoardFilter>>;

type Shown = keyof typeof shown;

const statuses = Object.keys(shown) as Shown[];

/**
 * The jobs of one kind as the ledger has them, whichever broker carries them. Retry is a redrive, remove is a cancel;
 * nothing else can be done to a job here, and nothing at all by who may only look.
 */
export class LedgerAdapter extends BaseAdapter {
  constructor(
    private readonly kind: string,
    private readonly pool: Pool,
    private readonly redriver: Redriver,
    private readonly wakeUp: OutboxWakeUp,
  ) {
    super('bullmq', {
      prefix: '',
      displayName: kind,
      description: `Every ${kind} job, on any broker, as the ledger has it.`,
      allowCompletedRetries: false,
    });
    // The board reads it once for each request.
    Object.defineProperty(this, 'readOnlyMode', { get: () => boardRequest.getStore()?.mayChange !== true });
  }

  getName(): string {
    return this.kind;
  }

  getQueueQualifiedName(): string {
    return this.kind;
  }

  getStatuses(): ('latest' | Shown)[] {
    return ['latest', ...statuses];
  }

  getJobStatuses(): Shown[] {
    return statuses;
  }

  async getJobCounts(): Promise<JobCounts> {
    const counts = Object.fromEntries(statuses.map((status) => [status, 0])) as JobCounts;
    for (const { state, isDue, count } of await countBoardJobs(this.pool, this.kind)) {
      counts[statusOf(state, isDue)] += count;
    }
    return counts;
  }

  async getJobs(wanted: JobStatus[], start = 0, end = 9): Promise<QueueJob[]> {
    const page = { offset: Math.max(0, start), limit: Math.max(0, end - start + 1) };
    // Several tabs at once are one list, newest first: a job that moves on meanwhile stands there once.
    const filters: BoardFilter[] = wanted.map((status) => shown[status as Shown]);
    const filter =
      filters.length === 1 ? filters[0]! : { states: filters.flatMap(({ states }) => states), isDue: undefined };
    return (await listBoardJobs(this.pool, this.kind, filter, page)).map((job) => this.toQueueJob(job));
  }

  async getJob(id: string): Promise<QueueJob | undefined> {
    if (!isUuid(id)) return undefined;
    const job = await readBoardJob(this.pool, this.kind, id);
    return job && this.toQueueJob(job);
  }

  async getJobLogs(id: string): Promise<string[]> {
    if (!isUuid(id)) return [];
    const events = await readBoardLog(this.pool, id);
    return events.map(({ at, type, data }) => `${at.toISOString()} ${type} ${JSON.stringify(data)}`);
  }

  private toQueueJob(job: BoardJob): QueueJob {
    const status = statusOf(job.state, job.isDue);
    return {
      opts: {},
      toJSON: () => ({
        id: job.id,
        name: job.state === 'cancelled' ? `${job.kind} (cancelled)` : job.kind,
        progress: job.progress,
        attemptsMade: job.attempt,
        timestamp: job.createdAt.getTime(),
        // Absent, not null: the board would count from 1970.
        ...(job.startedAt && { processedOn: job.startedAt.getTime() }),
        ...(job.finishedAt && { finishedOn: job.finishedAt.getTime() }),
        // The board adds it to the timestamp.
        delay: status === 'delayed' ? Math.max(0, job.runAt.getTime() - job.createdAt.getTime()) : 0,
        failedReason: job.state === 'failed' && job.error ? `${job.error.code}: ${job.error.message}` : '',
        stacktrace: null,
        data: dataOf(job),
        returnvalue: job.result,
        opts: { attempts: job.maxAttempts, priority: job.priority },
      }),
      getState: () => Promise.resolve(status),
      retry: () => this.redrive(job.id),
      remove: () => this.cancel(job.id),
      promote: () => refuse(),
    };
  }

  private async redrive(jobId: string): Promise<void> {
    const { redriven } = await this.redriver.redrive(
      { ids: [jobId], kind: undefined, broker: undefined, before: undefined },
      boardRequest.getStore()?.by ?? 'board',
    );
    if (redriven.length === 0) throw new Conflict('The job is not failed any more; nothing was changed.');
  }

  private async cancel(jobId: string): Promise<void> {
    const was = await cancelJob(this.pool, undefined, jobId);
    const isOpen = was === 'waiting' || was === 'queued' || was === 'active';
    if (!isOpen) throw new Conflict(`The job is ${was ?? 'gone'} already; nothing was changed.`);
    this.wakeUp.request(); // Another job of its key may go now.
  }

  // What a queue of BullMQ has, and a kind of job in the ledger has not.

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
  isPaused = () => Promise.resolve(false);
  getGlobalConcurrency = () => Promise.resolve(null);
  getRedisInfo = () => Promise.resolve(null);
  getMetrics = () => Promise.resolve({ meta: { count: 0, prevTS: 0, prevCount: 0 }, data: [], count: 0 });
  getJobSchedulers = () => Promise.resolve([]);
  getJobSchedulersCount = () => Promise.resolve(0);
}

/** The board answers with the status that an error brings. */
class Conflict extends Error {
  readonly statusCode = 409;
}

function refuse(): Promise<never> {
  return Promise.reject(new Conflict('The ledger decides that; here a job can be retried or removed.'));
}

function statusOf(state: JobState, isDue: boolean): Shown {
  const found = statuses.find((status) => {
    const { states, isDue: due } = shown[status] as BoardFilter;
    return states.includes(state) && (due === undefined || due === isDue);
  });
  return found!;
}

/** Without the payload: whoever runs the system need not read other people's email. */
function dataOf(job: BoardJob): object {
  const { tenant, broker, queue, dispatch, runAt, leaseUntil, parentId, orderKey, error } = job;
  return { tenant, broker, queue, dispatch, runAt, leaseUntil, parentId, orderKey, error };
}
