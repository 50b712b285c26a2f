export * from './api-keys';
export * from './broker-routes';
export * from './read-settings';
export * from './settings';
export * from './writable-folder';
