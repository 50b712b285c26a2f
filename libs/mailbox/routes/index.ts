export * from './mailbox.controller';
