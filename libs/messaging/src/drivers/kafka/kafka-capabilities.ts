import type { Capabilities } from '../../port/capabilities';

export const kafkaCapabilities: Capabilities = {
  priority: 'none',
  rateLimit: 'bus',
  concurrency: 'native',
  orderPerKey: 'bus',
  broadcast: 'native',
  eventOrder: 'native',
  replay: 'native',
  delay: 'bus',
  retry: 'bus',
  deadLetter: 'bus',
};
