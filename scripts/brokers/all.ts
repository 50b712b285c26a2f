import type { Broker } from './broker';
import { kafka } from './kafka';
import { rabbitmq } from './rabbitmq';
import { redis } from './redis';

export const allBrokers: readonly Broker[] = [redis, rabbitmq, kafka];
