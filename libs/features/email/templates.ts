import { z } from 'zod';
import { storableText, webLink } from '@app/contracts';

const name = storableText.min(1).max(200);
const link = webLink.max(2000);

/** The data of each template. The files are `apps/email-worker/src/templates/<name>.{html,text}.hbs`. */
export const emailTemplates = {
  welcome: z.strictObject({ name, confirmUrl: link.optional() }),
  'order-shipped': z.strictObject({ name, orderNumber: storableText.min(1).max(100), trackingUrl: link }),
} as const satisfies Record<string, z.ZodType>;

export type EmailTemplate = keyof typeof emailTemplates;

export const emailTemplateNames = Object.keys(emailTemplates) as [EmailTemplate, ...EmailTemplate[]];
