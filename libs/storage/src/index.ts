export * from './configured-file-store';
export * from './file-records';
export * from './file-store';
export * from './local-file-store';
export * from './owned-stream';
export * from './storage-fault';
