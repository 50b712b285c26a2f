import type { JobCounts, JobStatus, QueueJob } from '@bull-board/api/typings/app';
import type { Pool } from 'pg';
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
  type OutboxWakeUp,
} from '@app/ledger';
import { isUuid } from '@app/http';
import type { Redriver } from '../operations/redriver';
import { BoardAdapter, Conflict, pageOf, refuse } from './board-adapter';
import { boardRequest } from './board-request';
import type { SharedReads } from './shared-reads';

type Shown = 'active' | 'waiting' | 'waiting-children' | 'delayed' | 'completed' | 'failed';

/** The ledger's states in the board's words. A cancelled job has ended, so it stands with the completed ones. */
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

/** What the rows of all kinds work with. */
export interface LedgerBoard {
  /** The board's own: a viewer takes no connection from a caller. */
  readonly boardPool: Pool;
  /** The callers'. */
  readonly pool: Pool;
  readonly reads: SharedReads;
  readonly redriver: Redriver;
  readonly wakeUp: OutboxWakeUp;
}

/**
 * The jobs of one kind as the ledger has them, whichever broker carries them. Retry is a redrive, remove is a cancel;
 * nothing else can be done to a job here, and nothing at all by who may only look.
 */
export class LedgerAdapter extends BoardAdapter {
  constructor(
    private readonly kind: string,
    private readonly ledger: LedgerBoard,
  ) {
    super({
      displayName: kind,
      description: `Jobs: every ${kind} job as the ledger has it, on any broker. Where BullMQ carries them, its messages about them are in a row of their own.`,
    });
    // The board reads it once for each request.
    Object.defineProperty(this, 'readOnlyMode', { get: () => boardRequest.getStore()?.mayChange !== true });
  }

  getName(): string {
    return this.kind;
  }

  getStatuses(): ('latest' | Shown)[] {
    return ['latest', ...statuses];
  }

  getJobStatuses(): Shown[] {
    return statuses;
  }

  async getJobCounts(): Promise<JobCounts> {
    const { reads, boardPool } = this.ledger;
    const counts = Object.fromEntries(statuses.map((status) => [status, 0])) as JobCounts;
    for (const { kind, state, isDue, count } of await reads.get('counts', () => countBoardJobs(boardPool))) {
      if (kind === this.kind) counts[statusOf(state, isDue)] += count;
    }
    return counts;
  }

  async getJobs(wanted: JobStatus[], start = 0, end = 9): Promise<QueueJob[]> {
    const page = pageOf(start, end);
    if (page.limit === 0 || page.offset >= boardReach * statuses.length) return [];
    // Several tabs at once are one list, newest first: a job that moves on meanwhile stands there once.
    const filters: BoardFilter[] = wanted.flatMap((status) => (status in shown ? shown[status as Shown] : []));
    const key = `${this.kind} ${wanted.join()} ${page.offset} ${page.limit}`;
    const { reads, boardPool } = this.ledger;
    const jobs = await reads.get(key, () => listBoardJobs(boardPool, this.kind, filters, page));
    return jobs.map((job) => this.toQueueJob(job));
  }

  async getJob(id: string): Promise<QueueJob | undefined> {
    if (!isUuid(id)) return undefined;
    const job = await readBoardJob(this.ledger.boardPool, this.kind, id);
    return job && this.toQueueJob(job);
  }

  /** Notes of handlers and texts of errors may quote the payload, and are not shown. */
  async getJobLogs(id: string): Promise<string[]> {
    if (!isUuid(id)) return [];
    const events = await readBoardLog(this.ledger.boardPool, id);
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
    const { redriven } = await this.ledger.redriver.redrive(
      { ids: [jobId], kind: undefined, broker: undefined, before: undefined },
      boardRequest.getStore()?.by ?? 'board',
    );
    if (redriven.length === 0) throw new Conflict('The job is not failed any more; nothing was changed.');
  }

  private async cancel(jobId: string): Promise<void> {
    const was = await cancelJob(this.ledger.pool, undefined, jobId);
    const isOpen = was === 'waiting' || was === 'queued' || was === 'active';
    if (!isOpen) throw new Conflict(`The job is ${was ?? 'gone'} already; nothing was changed.`);
    this.ledger.wakeUp.request(); // Another job of its key may go now.
  }
}

function statusOf(state: JobState, isDue: boolean): Shown {
  return statuses.find((status) =>
    shown[status].some((filter) => filter.state === state && (filter.isDue ?? isDue) === isDue),
  )!;
}

/**
 * Without the payload and what is made of it (result, order key, text of an error): whoever runs the system need not
 * read other people's email.
 */
function dataOf(job: BoardJob): object {
  const { tenant, broker, queue, dispatch, runAt, leaseUntil, parentId, errorCode } = job;
  return { tenant, broker, queue, dispatch, runAt, leaseUntil, parentId, error: errorCode && { code: errorCode } };
}
