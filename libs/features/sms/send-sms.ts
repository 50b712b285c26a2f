import { z } from 'zod';
import { defineJob, exponential, storableText } from '@app/contracts';

export const sendSms = defineJob({
  kind: 'sms.send',
  version: 1,
  queue: 'sms',
  broker: 'bullmq',
  payload: z.strictObject({
    to: z.e164().describe('A phone number in E.164 form, such as +4915112345678.'),
    text: storableText.min(1).max(1600).describe('At most 1,600 characters: ten parts of a concatenated message.'),
  }),
  result: z.strictObject({ providerId: z.string().describe("The provider's own name for the message.") }),
  retry: exponential({ attempts: 5, base: '1s', max: '5m', jitter: 'full' }),
  timeout: '15s',
  concurrency: 10,
  rateLimit: { max: 20, per: '1s' },
});
