import type { Pool } from 'pg';
import { nextTick, previousTick, systemTenant, type ScheduleDefinition } from '@app/contracts';
import { moveSchedule, readSchedule } from '@app/ledger';
import type { JobsService } from '../producer/jobs.service';

/**
 * Enqueues the jobs of timetables. The schedule's name and the due time are the idempotency key of the job: several
 * relays, and one that dies in between, make one job. Ticks that were missed while no relay ran get one job, for the
 * first of them. Each job covers the period since the tick of the job before it, so that the periods have no gap.
 */
export class Scheduler {
  constructor(
    private readonly pool: Pool,
    private readonly jobs: Pick<JobsService, 'enqueue'>,
    private readonly schedules: readonly ScheduleDefinition[],
  ) {}

  /** @throws AggregateError of the schedules that failed this time; the others were kept */
  async tick(): Promise<void> {
    const ticks = await Promise.allSettled(this.schedules.map((schedule) => this.tickOne(schedule)));
    const faults = ticks.flatMap((tick) => (tick.status === 'rejected' ? [tick.reason as unknown] : []));
    if (faults.length > 0) throw new AggregateError(faults, 'Schedules could not be kept.');
  }

  private async tickOne(schedule: ScheduleDefinition): Promise<void> {
    const { name, cron, zone, job, payload } = schedule;
    const timetable = `${cron} ${zone}`;
    const [kept] = await readSchedule.run(this.pool, { name });
    const { dueAt, lastAt, now } = kept!;
    const isDue = dueAt !== null && dueAt <= now;
    if (kept!.timetable === timetable && !isDue) return;
    // Also after a change of the timetable: the old tick was already due.
    if (isDue) {
      const previous = lastAt && lastAt < dueAt ? lastAt : previousTick(schedule, dueAt);
      await this.jobs.enqueue(job, payload(dueAt, previous), {
        tenant: systemTenant,
        idempotency: { route: `schedule ${name}`, key: dueAt.toISOString(), body: name },
      });
    }
    await moveSchedule.run(this.pool, {
      name,
      timetable,
      dueAt: nextTick(schedule, now),
      from: dueAt,
      madeAt: isDue ? dueAt : undefined,
    });
  }
}
