export * from './email-digest';
export * from './send-email';
export * from './templates';
