export * from './file-key';
export * from './file-store';
export * from './local-file-store';
export { ownErrors } from './owned-stream';
export { StorageFault } from './storage-fault';
export * from './storage.module';
