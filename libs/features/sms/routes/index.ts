export * from './sms.controller';
