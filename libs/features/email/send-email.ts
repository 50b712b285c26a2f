import { z } from 'zod';
import { defineJob, brokenRule, type BrokenRule, exponential, headerText, storableText } from '@app/contracts';
import { emailTemplateNames, emailTemplates } from './templates';

const body = storableText.min(1).max(100_000);

/** The content is either `text`, `html` or both, or a template with its data. */
export const sendEmailPayload = z
  .strictObject({
    to: z.email().max(254).describe('One recipient address.'),
    subject: headerText.min(1).max(500),
    text: body.optional(),
    html: body.optional(),
    template: z.enum(emailTemplateNames).optional(),
    data: z.record(z.string(), z.unknown()).optional().describe("The template's values."),
  })
  .superRefine((email, context) => {
    const written = email.text !== undefined || email.html !== undefined;
    if (email.template === undefined) {
      if (!written)
        refuse(['text'], 'expected text, html or template: the email has no body', { rule: 'body_missing' });
      if (email.data !== undefined) {
        refuse(['data'], 'must be given together with template', { rule: 'template_missing' });
      }
      return;
    }
    if (written) {
      refuse(['template'], 'must not be given together with text or html', { rule: 'template_or_text' });
    }
    const filled = emailTemplates[email.template].safeParse(email.data ?? {});
    for (const issue of filled.error?.issues ?? []) {
      refuse(['data', ...issue.path], issue.message, brokenRule(issue));
    }

    function refuse(path: PropertyKey[], message: string, rule: BrokenRule): void {
      context.addIssue({ code: 'custom', path, message, params: { ...rule } });
    }
  });

export const emailReceipt = z.strictObject({
  messageId: z.string().describe('RFC 5322 Message-ID, the same at every attempt of one job.'),
});

export const sendEmail = defineJob({
  kind: 'email.send',
  version: 1,
  queue: 'email',
  broker: 'bullmq',
  payload: sendEmailPayload,
  result: emailReceipt,
  retry: exponential({ attempts: 5, base: '1s', max: '5m', jitter: 'full' }),
  timeout: '30s',
  concurrency: 20,
  rateLimit: { max: 100, per: '1s' },
});
