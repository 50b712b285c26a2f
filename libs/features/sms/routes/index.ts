import type { FeatureRoutes } from '@app/http';
import { SmsController } from './sms.controller';

export const smsRoutes: FeatureRoutes = { controllers: [SmsController] };
