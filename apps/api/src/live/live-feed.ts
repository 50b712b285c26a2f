import { AsyncResource } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { OnApplicationBootstrap } from '@nestjs/common';
import type { Pool } from 'pg';
import { backOffMs, sleep, WakeUpListener, type MessagingSignals } from '@app/messaging';
import {
  isLastUpdate,
  jobUpdatesAtOnce,
  readChanges,
  readJobUpdates,
  readJobs,
  type Changes,
  type ChangeCursor,
  type JobUpdate,
} from '@app/ledger';
import type { JobViews } from '@app/http';
import { eventBody, eventFrame } from './event-stream';
import type { Frame, JobFollower, TenantFollower } from './followers';

/** The poll interval in ms. Wake-ups may get lost. */
const pollMs = 1_000;
/** The minimum pause between two reads of the ledger, in ms, for any number of wake-ups. */
const restMs = 10;
/** The maximum number of groups that one statement reads for. */
const groupsAtOnce = 100;
/** The maximum number of jobs that one statement reads. A single group with more jobs is read as a whole. */
const jobsAtOnce = 100;

/** A tenant whose jobs are followed one by one, and the position up to which its changes were read. */
interface Watch {
  readonly tenant: string;
  cursor: ChangeCursor;
  followers: number;
}

/** The readers at the same position in the changes of one tenant. */
interface Group {
  readonly tenant: string;
  readonly cursor: ChangeCursor;
  readonly followers: TenantFollower[];
  watch?: Watch;
}

/**
 * Sends changes from the ledger to the streams of this process. While there are streams, one loop reads for all of
 * them: first which jobs have changed, then the new events of the jobs that have followers. Readers at the same position
 * share one read, so the work grows with the number of changes, not with the number of streams.
 *
 * The loop skips a stream without room. The stream continues at its position when it has room, and no events are queued
 * for it.
 */
export class LiveFeed implements OnApplicationBootstrap {
  private readonly tenantFollowers = new Set<TenantFollower>();
  private readonly jobFollowers = new Map<string, Set<JobFollower>>();
  private readonly watches = new Map<string, Watch>();
  /** The followers whose jobs may have unread events. */
  private readonly due = new Set<JobFollower>();

  private readonly listener: WakeUpListener;
  private readonly stopping = new AbortController();
  private isRunning = false;
  private isWoken = false;
  private endSleep: (() => void) | undefined;
  private ended: Promise<void> | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly signals: MessagingSignals,
    private readonly views: JobViews,
    databaseUrl: string,
  ) {
    this.listener = new WakeUpListener(databaseUrl, 'api', signals, () => this.wakeUp());
  }

  onApplicationBootstrap(): void {
    void this.listener.start();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.wakeUp();
    await Promise.all([this.listener.stop(), this.ended]);
  }

  /** Makes the loop read again: a job may have changed, or a stream has room again. */
  wakeUp(): void {
    this.isWoken = true;
    this.endSleep?.();
  }

  followTenant(follower: TenantFollower): void {
    this.tenantFollowers.add(follower);
    this.wakeUp();
    if (!this.isRunning) this.ended = this.run();
  }

  leaveTenant(follower: TenantFollower): void {
    this.tenantFollowers.delete(follower);
  }

  /** @param cursor a position that is not later than the follower's first read */
  followJob(follower: JobFollower, cursor: ChangeCursor): void {
    const { tenant, jobId } = follower;
    entryOf(this.watches, tenant, () => ({ tenant, cursor, followers: 0 })).followers += 1;
    entryOf(this.jobFollowers, jobId, () => new Set()).add(follower);
    this.readOn(follower);
    if (!this.isRunning) this.ended = this.run();
  }

  leaveJob(follower: JobFollower): void {
    const { tenant, jobId } = follower;
    const followers = this.jobFollowers.get(jobId);
    if (!followers?.delete(follower)) return;
    this.due.delete(follower);
    if (followers.size === 0) this.jobFollowers.delete(jobId);
    const watch = this.watches.get(tenant)!;
    watch.followers -= 1;
    if (watch.followers === 0) this.watches.delete(tenant);
  }

  /** Reads the next events of the follower's job. */
  readOn(follower: JobFollower): void {
    this.due.add(follower);
    this.wakeUp();
  }

  /**
   * Reads the changes first and the events second. So a new follower reads its job after the position from which the
   * next read of the changes continues, and misses nothing. Bound: it belongs to the trace of no request.
   */
  private readonly run = AsyncResource.bind(async (): Promise<void> => {
    const { signal } = this.stopping;
    this.isRunning = true;
    for (let failures = 0; !signal.aborted && this.tenantFollowers.size + this.jobFollowers.size > 0;) {
      this.isWoken = false;
      try {
        for (const groups of inParts(this.tenantGroups())) await this.readChangesOf(groups);
        for (const groups of inParts(this.jobGroups())) await this.readEventsOf(groups);
        failures = 0;
        await delay(restMs);
        await this.sleep();
      } catch (error) {
        failures += 1;
        const retryInMs = backOffMs(failures);
        this.signals.emit('database_away', 'live', error, retryInMs);
        await sleep(retryInMs, signal);
      }
    }
    this.isRunning = false;
  });

  /** Sleeps until woken, at most until the next poll. */
  private async sleep(): Promise<void> {
    if (this.isWoken) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pollMs);
      this.endSleep = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private tenantGroups(): Group[] {
    const groups = new Map<string, Group>();
    const groupOf = (tenant: string, cursor: ChangeCursor): Group =>
      entryOf(groups, `${tenant} ${cursor.toString()}`, () => ({ tenant, cursor, followers: [] }));
    for (const watch of this.watches.values()) groupOf(watch.tenant, watch.cursor).watch = watch;
    for (const follower of this.tenantFollowers) {
      if (follower.stream.hasRoom) groupOf(follower.tenant, follower.position).followers.push(follower);
    }
    return [...groups.values()];
  }

  private async readChangesOf(groups: readonly Group[]): Promise<void> {
    const read = await readChanges(this.pool, groups);
    const withChanges = groups.map((group, index) => ({ ...group, changes: read[index]! }));
    for (const { watch, changes } of withChanges) {
      if (!changes.isAll) this.wakeUp();
      if (!watch) continue;
      for (const { id } of changes.jobs) for (const follower of this.jobFollowers.get(id) ?? []) this.due.add(follower);
      watch.cursor = changes.cursor;
    }
    for (const part of inPartsOfJobs(withChanges.filter(({ followers }) => followers.length > 0))) {
      await this.sendChanges(part);
    }
  }

  private async sendChanges(groups: readonly (Group & { changes: Changes })[]): Promise<void> {
    const ids = [...new Set(groups.flatMap(({ changes }) => changes.jobs.map(({ id }) => id)))];
    // The state of a job is read now, so it is never older than the change that caused this read.
    const current = ids.length > 0 ? await readJobs(this.pool, ids) : [];
    const bodies = new Map(
      current.map((job) => [job.id, eventBody('job', { ...this.views.viewOf(job), sequence: job.sequence })]),
    );
    for (const { followers, changes } of groups) {
      const { jobs, cursor } = changes;
      const frames = jobs.flatMap(({ id, cursor: position }): Frame<ChangeCursor>[] => {
        const body = bodies.get(id);
        return body === undefined ? [] : [{ text: eventFrame(position.toString(), body), position }];
      });
      for (const follower of followers) if (follower.take(frames)) follower.position = cursor;
    }
  }

  private jobGroups(): JobFollower[][] {
    const groups = new Map<string, JobFollower[]>();
    for (const follower of this.due) {
      if (follower.stream.hasRoom) entryOf(groups, `${follower.jobId} ${follower.position}`, () => []).push(follower);
    }
    return [...groups.values()];
  }

  private async readEventsOf(groups: readonly (readonly JobFollower[])[]): Promise<void> {
    const read = await readJobUpdates(
      this.pool,
      groups.map(([first]) => ({ jobId: first!.jobId, after: first!.position })),
    );
    groups.forEach((followers, index) => {
      const events = read[index]!;
      const frames = events.map((event) => this.frameOf(event));
      const isAll = events.length < jobUpdatesAtOnce;
      const isEnd = isAll && events.length > 0 && isLastUpdate(events.at(-1)!);
      for (const follower of followers) {
        // A follower without room continues when its stream has room.
        this.due.delete(follower);
        if (!follower.take(frames)) continue;
        if (isEnd) follower.stream.end();
        else if (!isAll) this.readOn(follower);
      }
    });
  }

  /** Encodes a job update. A result has links to its files. */
  private frameOf({ sequence, at, type, data }: JobUpdate): Frame<number> {
    const shown = type === 'result' ? { state: data.state, result: this.views.resultOf(data) } : data;
    return { text: eventFrame(sequence, eventBody(type, { ...shown, at })), position: sequence };
  }
}

function entryOf<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const entry = map.get(key) ?? make();
  map.set(key, entry);
  return entry;
}

/** Splits groups into parts, so that the jobs of one part fit into memory together. */
function* inPartsOfJobs<Item extends { changes: Changes }>(groups: readonly Item[]): Generator<Item[]> {
  let part: Item[] = [];
  let jobs = 0;
  for (const group of groups) {
    if (jobs > 0 && jobs + group.changes.jobs.length > jobsAtOnce) {
      yield part;
      [part, jobs] = [[], 0];
    }
    part.push(group);
    jobs += group.changes.jobs.length;
  }
  if (part.length > 0) yield part;
}

function* inParts<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let from = 0; from < items.length; from += groupsAtOnce) yield items.slice(from, from + groupsAtOnce);
}
