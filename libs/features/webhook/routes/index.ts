export * from './deliveries.controller';
export * from './webhook-receiver';
export * from './webhook-receiver.controller';
export * from './webhook-urls';
export * from './webhooks.controller';
