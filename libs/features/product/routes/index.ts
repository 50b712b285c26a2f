import type { FeatureRoutes } from '@app/http';
import { ProductsController } from './products.controller';
import { SyncRunsController } from './sync-runs.controller';

export const productRoutes: FeatureRoutes = { controllers: [SyncRunsController, ProductsController] };
