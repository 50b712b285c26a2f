export * from './deliver-webhook';
export * from './delivery-retention';
export * from './deliveries';
export * from './endpoints';
export * from './finished-jobs';
export * from './signature';
export * from './target-guard';
export * from './webhook-settings';
