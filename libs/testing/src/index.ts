export * from './run-job';
export * from './test-clock';
