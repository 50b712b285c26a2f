import { AsyncResource } from 'node:async_hooks';
import type { Pool } from 'pg';
import { enqueue, enqueueGroup, fitsGroup, type AcceptedJob, type Database, type NewJob } from '@app/ledger';

/** A larger group is not cheaper for each of its jobs, and all of them wait for it. */
const groupSize = 100;

interface Entry {
  readonly job: NewJob;
  readonly resolve: (job: AcceptedJob | Promise<AcceptedJob>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit for new jobs. A request waits for nothing but a connection of the pool; the requests that wait for the
 * same connection share one statement. So a single request has the shortest way, and groups grow with the load.
 */
export class EnqueueBatcher {
  private waiting: Entry[] = [];
  /** Leaves the context of the request: what is done for many belongs to the trace of none. */
  private readonly outside = AsyncResource.bind(<Result>(work: () => Result): Result => work());

  constructor(private readonly pool: Pool) {}

  /**
   * Accepts a job.
   * @returns as `enqueue`
   * @throws the error of PostgreSQL, for all jobs of a group when it did not answer; then the job may or may not have
   *   been accepted
   */
  add(job: NewJob): Promise<AcceptedJob> {
    if (!fitsGroup(job)) return enqueue(this.pool, job);
    return new Promise((resolve, reject) => {
      this.waiting.push({ job, resolve, reject });
      if (this.waiting.length === 1) void this.next();
    });
  }

  /** Waits for a connection, no longer than the pool allows, and writes the jobs that have come by then. */
  private async next(): Promise<void> {
    const client = await this.pool.connect().catch((error: unknown) => {
      for (const { reject } of this.take()) reject(error);
    });
    if (!client) return;
    const group = this.take();
    try {
      await this.write(client, group);
      client.release();
    } catch (error) {
      client.release(error as Error);
      // A data exception does not say which job caused it. Nothing was written, so each job can be tried alone.
      const isOfOneJob = /^2[23]/.test(String((error as { code?: unknown }).code));
      for (const { job, resolve, reject } of group) {
        if (isOfOneJob && group.length > 1) resolve(enqueue(this.pool, job));
        else reject(error);
      }
    }
  }

  private take(): Entry[] {
    const group = this.waiting.splice(0, groupSize);
    if (this.waiting.length > 0) void this.outside(() => this.next());
    return group;
  }

  private async write(database: Database, group: readonly Entry[]): Promise<void> {
    const [first, second] = group;
    if (first && !second) {
      first.resolve(await enqueue(database, first.job));
      return;
    }
    const jobs = group.map(({ job }) => job);
    const accepted = await this.outside(() => enqueueGroup(database, jobs));
    // The keys of the others were used before: each gets the first job of its key.
    group.forEach(({ job, resolve }, place) => resolve(accepted.get(place) ?? enqueue(this.pool, job)));
  }
}
