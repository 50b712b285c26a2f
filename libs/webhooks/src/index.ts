export * from './deliveries';
export * from './endpoints';
export * from './secret-box';
export * from './signature';
export * from './target-guard';
export * from './webhook-settings';
