import { statement } from './statement';

interface Schedule {
  readonly timetable: string | null;
  readonly dueAt: Date | null;
  readonly lastAt: Date | null;
  readonly now: Date;
}

/** Reads the schedule, with nulls when there is no row of it, and the time by the database's clock. */
export const readSchedule = statement<Schedule>('schedule_read').with(
  { name: 'text' },
  ($) => `SELECT timetable, due_at AS "dueAt", last_at AS "lastAt", now() AS now
     FROM (SELECT) one LEFT JOIN schedule ON name = ${$.name}`,
);

/**
 * Moves a schedule to its next due time, `dueAt`, unless another relay has already moved it. `from` is the due time that
 * was read, undefined when there was no row. `madeAt` is the tick whose job was enqueued, undefined when none was.
 */
export const moveSchedule = statement<never>('schedule_move').with(
  { name: 'text', timetable: 'text', dueAt: 'timestamptz', from: 'timestamptz?', madeAt: 'timestamptz?' },
  ($) => `INSERT INTO schedule (name, timetable, due_at) VALUES (${$.name}, ${$.timetable}, ${$.dueAt})
   ON CONFLICT (name) DO UPDATE
      SET timetable = ${$.timetable}, due_at = ${$.dueAt}, last_at = greatest(schedule.last_at, ${$.madeAt})
    WHERE schedule.due_at = ${$.from} OR schedule.timetable <> ${$.timetable}`,
);
