import { emailRoutes } from '@app/features/email/routes';
import { imageRoutes } from '@app/features/image/routes';
import { productRoutes } from '@app/features/product/routes';
import { reportRoutes } from '@app/features/report/routes';
import { smsRoutes } from '@app/features/sms/routes';
import { webhookSettingNames, type WebhookSettings } from '@app/features/webhook';
import { webhookRoutes } from '@app/features/webhook/routes';
import type { FeatureRoutes } from '@app/http';

/** Settings that use cases add to those of the API. */
export const featureSettingNames = webhookSettingNames;

/** The use cases of this API. A use case that is deleted is taken out here and in libs/features/catalogue. */
export const featureRoutes = (settings: WebhookSettings): readonly FeatureRoutes[] => [
  emailRoutes,
  smsRoutes,
  reportRoutes,
  imageRoutes,
  productRoutes,
  webhookRoutes(settings),
];
