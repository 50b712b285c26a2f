export * from './products.controller';
export * from './sync-runs.controller';
