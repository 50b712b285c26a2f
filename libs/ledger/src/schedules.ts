import { Statement, type Database } from './statement';

const readStatement = new Statement<{ timetable: string | null; dueAt: Date | null; lastAt: Date | null; now: Date }>(
  'schedule_read',
  `SELECT timetable, due_at AS "dueAt", last_at AS "lastAt", now() AS now FROM (SELECT) one LEFT JOIN schedule ON name = $1`,
);

const moveStatement = new Statement<never>(
  'schedule_move',
  `INSERT INTO schedule (name, timetable, due_at) VALUES ($1, $2, $3)
   ON CONFLICT (name) DO UPDATE SET timetable = $2, due_at = $3, last_at = greatest(schedule.last_at, $5)
    WHERE schedule.due_at = $4 OR schedule.timetable <> $2`,
);

/** @returns the row of the schedule, undefined when there is none, and the time by the database's clock */
export async function readSchedule(
  database: Database,
  name: string,
): Promise<{ now: Date; row: { timetable: string; dueAt: Date; lastAt: Date | null } | undefined }> {
  const { timetable, dueAt, lastAt, now } = (await readStatement.run(database, name))[0]!;
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
  await moveStatement.run(database, name, timetable, dueAt, from ?? null, madeAt ?? null);
}
