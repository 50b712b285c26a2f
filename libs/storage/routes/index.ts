export * from './file-links';
export * from './files.controller';
