import type { EventDefinition, JobDefinition } from '@app/contracts';
import { emailDigest, sendEmail } from '@app/features/email';
import { resizeImage } from '@app/features/image';
import { productChanged, syncRun } from '@app/features/product';
import { makeReport, summariseSection } from '@app/features/report';
import { sendSms } from '@app/features/sms';
import { deliverWebhook } from '@app/features/webhook/deliver-webhook';
import { finishedJobs } from '@app/features/webhook/finished-jobs';

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
export const eventDefinitions: readonly EventDefinition[] = [finishedJobs.event, productChanged];
