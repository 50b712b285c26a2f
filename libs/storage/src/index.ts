export * from './file-key';
export * from './file-store';
export * from './local-file-store';
export { ownErrors } from './owned-stream';
export * from './storage.module';
