import { defineSchedule, type ScheduleDefinition } from '@app/contracts';
import { emailDigest } from '@app/features/email';
import type { RelaySettings } from './config';

const digest = ({ DIGEST_TO, DIGEST_CRON, DIGEST_ZONE }: RelaySettings) =>
  defineSchedule({
    name: 'email.digest',
    cron: DIGEST_CRON,
    zone: DIGEST_ZONE,
    job: emailDigest,
    payload: (dueAt, previous) => ({ to: DIGEST_TO, from: previous.toISOString(), until: dueAt.toISOString() }),
  });

/** All timetables. */
const timetables: readonly ((settings: RelaySettings) => ScheduleDefinition)[] = [digest];

export const schedulesOf = (settings: RelaySettings): readonly ScheduleDefinition[] =>
  timetables.map((schedule) => schedule(settings));
