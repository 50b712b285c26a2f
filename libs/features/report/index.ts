export * from './make-report';
export * from './orders';
export * from './period';
export * from './summarise-section';
