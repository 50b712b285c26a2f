import type { JobCounts, JobStatus, QueueJob } from '@bull-board/api/typings/app';
import type { JobState } from '@app/contracts';
import {
  boardReach,
  cancelJob,
  countBoardJobs,
  listBoardJobs,
  readBoardJob,
  readBoardLog,
  type BoardFilter,
  type BoardJob,
} from '@app/ledger';
import { isUuid } from '@app/http';
import { BoardAdapter, Conflict, pageOf, refuse } from './board-adapter';
import { boardRequest } from './board-request';
import type { Board } from './bull-board';

type Shown = 'active' | 'waiting' | 'waiting-children' | 'delayed' | 'completed' | 'failed';

/** The ledger's states for each status of the board. A cancelled job has ended, so it is listed as completed. */
const shown: Readonly<Record<Shown, readonly BoardFilter[]>> = {
  active: [{ state: 'active', isDue: undefined }],
  waiting: [{ state: 'queued', isDue: true }],
  'waiting-children': [{ state: 'waiting', isDue: undefined }],
  delayed: [{ state: 'queued', isDue: false }],
  completed: [
    { state: 'completed', isDue: undefined },
    { state: 'cancelled', isDue: undefined },
  ],
  failed: [{ state: 'failed', isDue: undefined }],
};

const statuses = Object.keys(shown) as Shown[];

/**
 * Shows the jobs of one kind from the ledger, on any broker. Retry is a redrive, and remove is a cancel. All other
 * actions are refused, and a viewer may do neither.
 */
export class LedgerAdapter extends BoardAdapter<Shown> {
  constructor(
    private readonly kind: string,
    private readonly board: Board,
  ) {
    super(kind, statuses, {
      displayName: kind,
      description: `Jobs: every ${kind} job in the ledger, on any broker. If BullMQ carries the jobs, another row shows its messages.`,
    });
    // The board reads this property for each request.
    Object.defineProperty(this, 'readOnlyMode', { get: () => boardRequest.getStore()?.mayChange !== true });
  }

  async getJobCounts(): Promise<JobCounts> {
    const { reads, boardPool } = this.board;
    const counts = Object.fromEntries(statuses.map((status) => [status, 0])) as JobCounts;
    for (const { kind, state, isDue, count } of await reads.get('counts', () => countBoardJobs.run(boardPool.pool))) {
      if (kind === this.kind) counts[statusOf(state, isDue)] += count;
    }
    return counts;
  }

  async getJobs(wanted: JobStatus[], start = 0, end = 9): Promise<QueueJob[]> {
    const page = pageOf(start, end);
    if (page.limit === 0 || page.offset >= boardReach * statuses.length) return [];
    // Several states form one list, newest first, so a job that changes its state meanwhile appears once.
    const filters: BoardFilter[] = wanted.flatMap((status) => (status in shown ? shown[status as Shown] : []));
    const key = `${this.kind} ${wanted.join()} ${page.offset} ${page.limit}`;
    const { reads, boardPool } = this.board;
    const jobs = await reads.get(key, () => listBoardJobs(boardPool.pool, this.kind, filters, page));
    return jobs.map((job) => this.toQueueJob(job));
  }

  async getJob(id: string): Promise<QueueJob | undefined> {
    if (!isUuid(id)) return undefined;
    const [job] = await readBoardJob.run(this.board.boardPool.pool, { kind: this.kind, id });
    return job && this.toQueueJob(job);
  }

  /** Omits the notes of handlers and the texts of errors, because they may quote the payload. */
  async getJobLogs(id: string): Promise<string[]> {
    if (!isUuid(id)) return [];
    const events = await readBoardLog.run(this.board.boardPool.pool, { id });
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
        // Absent, not null: the board would read null as 1970.
        ...(job.startedAt && { processedOn: job.startedAt.getTime() }),
        ...(job.finishedAt && { finishedOn: job.finishedAt.getTime() }),
        // In ms. The board adds it to the timestamp.
        delay: status === 'delayed' ? Math.max(0, job.runAt.getTime() - job.createdAt.getTime()) : 0,
        failedReason:
          job.state === 'failed' ? `${job.errorCode}: GET /v1/dead-letters?kind=${job.kind} has the details` : '',
        stacktrace: null,
        data: dataOf(job),
        returnvalue: null,
        opts: { attempts: job.maxAttempts, priority: job.priority },
      }),
      getState: () => Promise.resolve(status),
      retry: () => this.redrive(job.id),
      remove: () => this.cancel(job.id),
      promote: () => refuse(),
    };
  }

  private async redrive(jobId: string): Promise<void> {
    const { redriven } = await this.board.redriver.redrive(
      { ids: [jobId], kind: undefined, broker: undefined, before: undefined },
      boardRequest.getStore()?.by ?? 'board',
    );
    if (redriven.length === 0) throw new Conflict('The job is not failed any more; nothing was changed.');
  }

  private async cancel(jobId: string): Promise<void> {
    const was = await cancelJob(this.board.pool, undefined, jobId);
    const isOpen = was === 'waiting' || was === 'queued' || was === 'active';
    if (!isOpen) throw new Conflict(`The job is ${was ?? 'gone'} already; nothing was changed.`);
    this.board.wakeUp.request(); // The next job with the same order key may run now.
  }
}

function statusOf(state: JobState, isDue: boolean): Shown {
  return statuses.find((status) =>
    shown[status].some((filter) => filter.state === state && (filter.isDue ?? isDue) === isDue),
  )!;
}

/**
 * Returns the data of a job for the board. Omits the payload and everything derived from it (result, order key, text of
 * an error), because operators need not read the emails of tenants.
 */
function dataOf(job: BoardJob): object {
  const { tenant, broker, queue, dispatch, runAt, leaseUntil, parentId, errorCode } = job;
  return { tenant, broker, queue, dispatch, runAt, leaseUntil, parentId, error: errorCode && { code: errorCode } };
}
