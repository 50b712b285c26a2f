import type { Capabilities } from '../../port/capabilities';

export const rabbitmqCapabilities: Capabilities = {
  priority: 'none',
  rateLimit: 'bus',
  concurrency: 'native',
  orderPerKey: 'bus',
  broadcast: 'native',
  eventOrder: 'none',
  replay: 'none',
  delay: 'bus',
  retry: 'bus',
  deadLetter: 'native',
};
