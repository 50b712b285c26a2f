export * from './read-settings';
export * from './settings';
