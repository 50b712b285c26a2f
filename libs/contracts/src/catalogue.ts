import type { EventDefinition } from './define-event';
import type { JobDefinition } from './define-job';
import { emailDigest } from './email/email-digest';
import { sendEmail } from './email/send-email';
import { jobFinished } from './events/job-finished';
import { sendSms } from './sms/send-sms';

/** Every kind of job there is. A process that serves or publishes jobs takes its topology from here. */
export const jobDefinitions: readonly JobDefinition[] = [sendEmail, emailDigest, sendSms];

/** Every kind of event there is. */
export const eventDefinitions: readonly EventDefinition[] = [jobFinished];
