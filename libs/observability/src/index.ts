export * from './logging.module';
export * from './observers';
export * from './run-process';
export * from './worker-process';
export * from './supervision';
