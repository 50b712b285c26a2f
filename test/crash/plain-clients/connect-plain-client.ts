import type { BrokerSettings } from '@app/messaging';
import type { Backend } from '../../support/system';
import { plainAmqplib } from './amqplib';
import { plainBullmq } from './bullmq';
import { plainKafkajs } from './kafkajs';
import type { PlainClient } from './plain-client';

export async function connectPlainClient(backend: Backend, settings: BrokerSettings): Promise<PlainClient> {
  switch (backend) {
    case 'bullmq-postgres':
    case 'bullmq-redis':
      return plainBullmq(settings);
    case 'rabbitmq':
      return plainAmqplib(settings);
    case 'kafka':
      return plainKafkajs(settings);
  }
}
