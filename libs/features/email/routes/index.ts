export * from './emails.controller';
