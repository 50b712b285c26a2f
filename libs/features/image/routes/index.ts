export * from './images.controller';
export * from './upload-intake';
