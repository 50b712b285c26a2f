import { statement, type Database } from './statement';

const readStatement = statement<{ timetable: string | null; dueAt: Date | null; lastAt: Date | null; now: Date }>(
  'schedule_read',
).with(
  { name: 'text' },
  ($) => `SELECT timetable, due_at AS "dueAt", last_at AS "lastAt", now() AS now
     FROM (SELECT) one LEFT JOIN schedule ON name = ${$.name}`,
);

const moveStatement = statement<never>('schedule_move').with(
  { name: 'text', timetable: 'text', dueAt: 'timestamptz', from: 'timestamptz?', madeAt: 'timestamptz?' },
  ($) => `INSERT INTO schedule (name, timetable, due_at) VALUES (${$.name}, ${$.timetable}, ${$.dueAt})
   ON CONFLICT (name) DO UPDATE
      SET timetable = ${$.timetable}, due_at = ${$.dueAt}, last_at = greatest(schedule.last_at, ${$.madeAt})
    WHERE schedule.due_at = ${$.from} OR schedule.timetable <> ${$.timetable}`,
);

/** @returns the row of the schedule, undefined when there is none, and the time by the database's clock */
export async function readSchedule(
  database: Database,
  name: string,
): Promise<{ now: Date; row: { timetable: string; dueAt: Date; lastAt: Date | null } | undefined }> {
  const { timetable, dueAt, lastAt, now } = (await readStatement.run(database, { name }))[0]!;
  return { now, row: timetable === null || dueAt === null ? undefined : { timetable, dueAt, lastAt } };
}

/**
 * Moves a schedule to its next due time, unless another relay has already moved it.
 * @param dueAt the next due time
 * @param from the due time that was read; undefined when there was no row
 * @param madeAt the tick whose job was enqueued; undefined when none was
 */
export async function moveSchedule(
  database: Database,
  name: string,
  timetable: string,
  dueAt: Date,
  from: Date | undefined,
  madeAt: Date | undefined,
): Promise<void> {
  await moveStatement.run(database, { name, timetable, dueAt, from, madeAt });
}
