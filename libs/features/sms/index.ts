export * from './send-sms';
