import { Cron } from 'croner';
import type { JobDefinition, PayloadOf } from './define-job';

/** A job that nobody asks for: it is made whenever a timetable says so. */
export interface ScheduleDefinition<D extends JobDefinition = JobDefinition> {
  /** The stable name, `noun.verb`; with the moment it is due, it makes the job unique. */
  readonly name: string;
  /** Five or six fields (with seconds), as `man 5 crontab` has them. */
  readonly cron: string;
  /** An IANA zone, such as `Europe/Berlin`. */
  readonly zone: string;
  readonly job: D;
  /** @param dueAt the tick that the job stands for; @param previous the tick of the job before it; of the first, the tick before it by the timetable */
  readonly payload: (dueAt: Date, previous: Date) => PayloadOf<D>;
}

/** @throws RangeError for a timetable that cannot be read, at the moment the schedule is loaded */
export function defineSchedule<D extends JobDefinition>(schedule: ScheduleDefinition<D>): ScheduleDefinition<D> {
  try {
    nextTick(schedule, new Date());
  } catch (error) {
    throw new RangeError(
      `Schedule "${schedule.name}" cannot be kept: expected a cron expression and an IANA zone that have a next tick, ` +
        `got "${schedule.cron}" in "${schedule.zone}" (${(error as Error).message}).`,
      { cause: error },
    );
  }
  return schedule;
}

/** The first tick after a moment. */
export function nextTick({ cron, zone }: Pick<ScheduleDefinition, 'cron' | 'zone'>, after: Date): Date {
  const tick = new Cron(cron, { timezone: zone, paused: true }).nextRun(after);
  if (!tick) throw new RangeError('it never comes');
  return tick;
}

/** The last tick before a moment. */
export function previousTick({ cron, zone }: Pick<ScheduleDefinition, 'cron' | 'zone'>, before: Date): Date {
  return new Cron(cron, { timezone: zone, paused: true }).previousRuns(1, before)[0] ?? before;
}
