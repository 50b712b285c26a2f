export * from './logging.module';
export * from './observers';
export * from './run-process';
export * from './supervision';
export * from './worker-process';
