export * from './resize-image';
export * from './uploads';
