export * from './run-core';
export * from './run-job';
export * from './test-clock';
