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

/** All kinds of jobs. A process that runs or publishes jobs derives its topology from this list. */
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

/** All kinds of events. */
export const eventDefinitions: readonly EventDefinition[] = [jobFinished, productChanged];
