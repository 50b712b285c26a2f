export * from './change-product';
export * from './generations';
export * from './product';
export * from './product-changed';
export * from './search-model';
export * from './search-products';
export * from './sync-run';
