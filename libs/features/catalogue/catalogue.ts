import type { EventDefinition, JobDefinition } from '@app/contracts';
import { emailDigest, sendEmail } from '@app/features/email';
import { resizeImage } from '@app/features/image';
import { productChanged, syncRun } from '@app/features/product';
import { makeReport, summariseSection } from '@app/features/report';
import { sendSms } from '@app/features/sms';
import { deliverWebhook, finishedJobs } from '@app/features/webhook';

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
export const eventDefinitions: readonly EventDefinition[] = [finishedJobs.event, productChanged];
