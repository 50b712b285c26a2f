import type { Settings } from '@app/configuration';
import { emailRoutes } from '@app/features/email/routes';
import { imageRoutes } from '@app/features/image/routes';
import { productRoutes } from '@app/features/product/routes';
import { reportRoutes } from '@app/features/report/routes';
import { smsRoutes } from '@app/features/sms/routes';
import { webhookRoutes } from '@app/features/webhook/routes';
import type { FeatureRoutes } from '@app/http';
import type { featureSettingNames } from './config';

type FeatureSettings = Pick<Settings, (typeof featureSettingNames)[number]>;

/** The use cases of this API. A use case that is deleted is taken out here, in config.ts and in libs/features/catalogue. */
const features: readonly (FeatureRoutes | ((settings: FeatureSettings) => FeatureRoutes))[] = [
  emailRoutes,
  smsRoutes,
  reportRoutes,
  imageRoutes,
  productRoutes,
  webhookRoutes,
];

export const featureRoutes = (settings: FeatureSettings): readonly FeatureRoutes[] =>
  features.map((routes) => (typeof routes === 'function' ? routes(settings) : routes));
