import { Cron } from 'croner';
import type { JobDefinition, PayloadOf } from './define-job';

/** A job that a timetable creates, without a request. */
export interface ScheduleDefinition<D extends JobDefinition = JobDefinition> {
  /** The stable name, `noun.verb`. With the due time it makes the job unique. */
  readonly name: string;
  /** Five or six fields (with seconds), as in `man 5 crontab`. */
  readonly cron: string;
  /** An IANA zone, such as `Europe/Berlin`. */
  readonly zone: string;
  readonly job: D;
  /**
   * @param dueAt the tick of this job
   * @param previous the tick of the job before it; for the first job, the tick before it in the timetable
   */
  readonly payload: (dueAt: Date, previous: Date) => PayloadOf<D>;
}

/** @throws RangeError, when the schedule is loaded, for an invalid timetable */
export function defineSchedule<D extends JobDefinition>(schedule: ScheduleDefinition<D>): ScheduleDefinition<D> {
  try {
    nextTick(schedule, new Date());
  } catch (error) {
    throw new RangeError(
      `Schedule "${schedule.name}" is invalid: expected a cron expression and an IANA zone that have a next tick, ` +
        `got "${schedule.cron}" in "${schedule.zone}" (${(error as Error).message}).`,
      { cause: error },
    );
  }
  return schedule;
}

/** @returns the first tick after a moment */
export function nextTick({ cron, zone }: Pick<ScheduleDefinition, 'cron' | 'zone'>, after: Date): Date {
  const tick = new Cron(cron, { timezone: zone, paused: true }).nextRun(after);
  if (!tick) throw new RangeError('it never comes');
  return tick;
}

/** @returns the last tick before a moment */
export function previousTick({ cron, zone }: Pick<ScheduleDefinition, 'cron' | 'zone'>, before: Date): Date {
  return new Cron(cron, { timezone: zone, paused: true }).previousRuns(1, before)[0] ?? before;
}
