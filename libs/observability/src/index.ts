export * from './log-subscriber';
export * from './logging.module';
export * from './run-process';
export * from './worker-process';
