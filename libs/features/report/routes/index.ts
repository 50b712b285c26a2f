import type { FeatureRoutes } from '@app/http';
import { ReportsController } from './reports.controller';

export const reportRoutes: FeatureRoutes = { controllers: [ReportsController] };
