import { memoryCapabilities } from '@app/messaging';
import { MemoryBroker } from '../support/broker-under-test';
import { conformance } from './conformance';

conformance({
  name: 'memory',
  isThere: true,
  capabilities: memoryCapabilities,
  carries: 'bytes',
  start: () => Promise.resolve(new MemoryBroker()),
  strict: undefined,
});
