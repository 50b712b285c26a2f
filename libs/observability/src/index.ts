export * from './health/dependencies';
export * from './health/health-server';
export * from './health/readiness';
export * from './logging.module';
export * from './observers';
export * from './run-process';
export * from './run-worker';
export * from './supervision';
