export * from './api-keys';
export * from './read-settings';
export * from './settings';
