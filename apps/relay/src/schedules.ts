import { defineSchedule, type ScheduleDefinition } from '@app/contracts';
import { emailDigest } from '@app/features/email';
import type { RelaySettings } from './config';

/** All timetables. */
export function schedulesOf({ DIGEST_TO, DIGEST_CRON, DIGEST_ZONE }: RelaySettings): readonly ScheduleDefinition[] {
  return [
    defineSchedule({
      name: 'email.digest',
      cron: DIGEST_CRON,
      zone: DIGEST_ZONE,
      job: emailDigest,
      payload: (dueAt, previous) => ({ to: DIGEST_TO, from: previous.toISOString(), until: dueAt.toISOString() }),
    }),
  ];
}
