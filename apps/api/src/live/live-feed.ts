import type { OnApplicationBootstrap } from '@nestjs/common';
import type { Pool } from 'pg';
import { backOffMs, WakeUpListener, type MessagingSignals } from '@app/messaging';
import { readChanges, readJobUpdates, readJobs, type Changes, type ChangeCursor, type JobUpdate } from '@app/ledger';
import type { JobViews } from '@app/http';
import { eventBody, eventFrame } from './event-frame';
import type { JobFollower, ShownJobEvent } from './job-follower';
import type { TenantFollower } from './tenant-follower';

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
 * Sends changes from the ledger to the streams of this process. One loop reads for all streams: first which jobs have
 * changed, then the new events of the jobs that have followers. Readers at the same position share one read, so the
 * work grows with the number of changes, not with the number of streams.
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
  private isStopped = false;
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
    this.ended = this.run();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
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
  }

  leaveTenant(follower: TenantFollower): void {
    this.tenantFollowers.delete(follower);
  }

  /** @param cursor a position that is not later than the follower's first read */
  followJob(follower: JobFollower, cursor: ChangeCursor): void {
    const { tenant, jobId } = follower;
    const watch = this.watches.get(tenant) ?? { tenant, cursor, followers: 0 };
    watch.followers += 1;
    this.watches.set(tenant, watch);
    const followers = this.jobFollowers.get(jobId) ?? new Set();
    this.jobFollowers.set(jobId, followers.add(follower));
    this.readOn(follower);
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

  private async rest(): Promise<void> {
    if (!this.isWoken) await this.sleep(pollMs, 'until woken');
  }

  private async run(): Promise<void> {
    for (let failures = 0; !this.isStopped;) {
      this.isWoken = false;
      try {
        await this.readAll();
        failures = 0;
        await this.sleep(restMs, 'uninterrupted');
        await this.rest();
      } catch (error) {
        failures += 1;
        const retryInMs = backOffMs(failures);
        this.signals.emit('database_away', 'live', error, retryInMs);
        await this.sleep(retryInMs, 'uninterrupted');
      }
    }
  }

  /**
   * Reads the changes first and the events second. So a new follower reads its job after the position from which the
   * next read of the changes continues, and misses nothing.
   */
  private async readAll(): Promise<void> {
    for (const groups of inParts(this.tenantGroups())) await this.readChangesOf(groups);
    for (const groups of inParts(this.jobGroups())) await this.readEventsOf(groups);
  }

  private tenantGroups(): Group[] {
    const groups = new Map<string, Group>();
    const groupOf = ({ tenant, cursor }: { tenant: string; cursor: ChangeCursor }): Group =>
      entryOf(groups, `${tenant} ${cursor.toString()}`, () => ({ tenant, cursor, followers: [] }));
    for (const watch of this.watches.values()) groupOf(watch).watch = watch;
    for (const follower of this.tenantFollowers) {
      if (follower.stream.hasRoom) groupOf(follower).followers.push(follower);
    }
    return [...groups.values()];
  }

  private async readChangesOf(groups: readonly Group[]): Promise<void> {
    const read = await readChanges(this.pool, groups);
    const withChanges = groups.map((group, index) => ({ ...group, changes: read[index]! }));
    for (const { watch, changes } of withChanges) {
      if (!changes.isAll) this.wakeUp();
      if (watch) this.tell(watch, changes);
    }
    for (const part of inPartsOfJobs(withChanges.filter(({ followers }) => followers.length > 0))) {
      await this.sendChanges(part);
    }
  }

  private async sendChanges(groups: readonly (Group & { changes: Changes })[]): Promise<void> {
    const bodies = await this.bodiesOf(new Set(groups.flatMap(({ changes }) => changes.jobs.map(({ id }) => id))));
    for (const { followers, changes } of groups) {
      const { jobs, cursor } = changes;
      const frames = jobs.flatMap(({ id, cursor: after }) => {
        const body = bodies.get(id);
        return body === undefined ? [] : [{ text: eventFrame(after.toString(), body), cursor: after }];
      });
      for (const follower of followers) follower.take(frames, cursor);
    }
  }

  /** Reads the current state of jobs. It is never older than the changes that caused this read. */
  private async bodiesOf(ids: ReadonlySet<string>): Promise<Map<string, string>> {
    if (ids.size === 0) return new Map();
    const jobs = await readJobs(this.pool, [...ids]);
    return new Map(
      jobs.map((job) => [job.id, eventBody('job', { ...this.views.viewOf(job), sequence: job.sequence })]),
    );
  }

  private tell(watch: Watch, { jobs, cursor }: Changes): void {
    for (const { id } of jobs) for (const follower of this.jobFollowers.get(id) ?? []) this.due.add(follower);
    watch.cursor = cursor;
  }

  private jobGroups(): JobFollower[][] {
    const groups = new Map<string, JobFollower[]>();
    for (const follower of this.due) {
      if (follower.stream.hasRoom) entryOf(groups, `${follower.jobId} ${follower.after}`, () => []).push(follower);
    }
    return [...groups.values()];
  }

  private async readEventsOf(groups: readonly (readonly JobFollower[])[]): Promise<void> {
    const events = await readJobUpdates(
      this.pool,
      groups.map(([first]) => first!),
    );
    groups.forEach((followers, index) => {
      const shown = events[index]!.map((event) => this.withLinks(event));
      for (const follower of followers) {
        // A follower without room continues when its stream has room.
        this.due.delete(follower);
        if (follower.take(shown)) this.readOn(follower);
      }
    });
  }

  private withLinks(event: JobUpdate): ShownJobEvent {
    if (event.type !== 'result') return event;
    return { ...event, data: { state: event.data.state, result: this.views.resultOf(event.data) } };
  }

  private sleep(ms: number, how: 'until woken' | 'uninterrupted'): Promise<void> {
    if (this.isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      if (how === 'uninterrupted') return;
      this.endSleep = () => {
        clearTimeout(timer);
        resolve();
      };
    });
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
