import type { EventDefinition } from './define-event';
import type { JobDefinition } from './define-job';
import { emailDigest } from './email/email-digest';
import { sendEmail } from './email/send-email';
import { jobFinished } from './events/job-finished';
import { resizeImage } from './image/resize-image';
import { productChanged } from './products/product-changed';
import { syncRun } from './products/sync-run';
import { makeReport } from './report/make-report';
import { summariseSection } from './report/summarise-section';
import { sendSms } from './sms/send-sms';
import { deliverWebhook } from './webhooks/deliver-webhook';

/** Every kind of job there is. A process that serves or publishes jobs takes its topology from here. */
export const jobDefinitions: readonly JobDefinition[] = [
  sendEmail,
  emailDigest,
  sendSms,
  makeReport,
  summariseSection,
  resizeImage,
  syncRun,
  deliverWebhook,
];

/** Every kind of event there is. */
export const eventDefinitions: readonly EventDefinition[] = [jobFinished, productChanged];
