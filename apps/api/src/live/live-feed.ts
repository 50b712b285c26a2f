import type { OnApplicationBootstrap } from '@nestjs/common';
import type { Pool } from 'pg';
import { backOffMs, WakeUpListener, type MessagingSignals } from '@app/messaging';
import { readChanges, readJobUpdates, readJobs, type Changes, type ChangeCursor, type JobUpdate } from '@app/ledger';
import type { JobViews } from '@app/http';
import { eventBody, eventFrame } from './event-frame';
import type { JobFollower, ShownJobEvent } from './job-follower';
import type { TenantFollower } from './tenant-follower';

/** Behind the wake-ups, which may get lost. */
const pollMs = 1_000;
/** However many wake-ups come, the ledger is not asked more often. */
const restMs = 10;
/** Groups of readers that one statement serves. */
const groupsAtOnce = 100;
/** Jobs that one statement reads whole, or those of one group where it has more. */
const jobsAtOnce = 100;

/** Whose jobs are followed one by one, and how far their changes have been seen. */
interface Watch {
  readonly tenant: string;
  cursor: ChangeCursor;
  followers: number;
}

/** Who is equally far in the changes of one tenant. */
interface Group {
  readonly tenant: string;
  readonly cursor: ChangeCursor;
  readonly followers: TenantFollower[];
  watch?: Watch;
}

/**
 * What has changed, from the ledger to the streams of this process. One loop asks for all of them: which jobs have
 * changed, then what has become of those that somebody follows. Readers that are equally far share what is read, so
 * the work grows with what happens, not with the number of streams.
 *
 * A stream whose reader is slow is left out until it has room, and goes on where it was: nothing waits for it here.
 */
export class LiveFeed implements OnApplicationBootstrap {
  private readonly tenantFollowers = new Set<TenantFollower>();
  private readonly jobFollowers = new Map<string, Set<JobFollower>>();
  private readonly watches = new Map<string, Watch>();
  /** Whose jobs may have events that were not read yet. */
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

  /** Something may have changed, or somebody has room for more. */
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

  /** @param cursor not ahead of what the follower is going to read first */
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

  /** Its job may have events that it has not got. */
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

  /** In this order: whoever begins to follow a job reads it after the look that the next look goes on from. */
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

  /** Whole jobs, as they are now: later than the changes that have led here, never earlier. */
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
        // One without room reads on when it has some.
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

/** So that the whole jobs of a part fit into memory together. */
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
