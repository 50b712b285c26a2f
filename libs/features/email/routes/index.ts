import type { FeatureRoutes } from '@app/http';
import { EmailsController } from './emails.controller';

export const emailRoutes: FeatureRoutes = { controllers: [EmailsController] };
