import { directUrl, type BrokerSettings, type BrokerTopology } from '@app/messaging';
import type { BrokerDescription } from './broker-description';
import { describeBullmq } from './describe-bullmq';
import { describeKafka } from './describe-kafka';
import { describeRabbitmq } from './describe-rabbitmq';

/** Describes the configured brokers, BullMQ first. Connects to none of them. */
export function describeBrokers(settings: BrokerSettings, topology: BrokerTopology): BrokerDescription[] {
  const { REDIS_URL, BULLMQ_PREFIX, RABBITMQ_URL, KAFKA_BROKERS, BROKER_PREFIX: prefix } = settings;
  const bullmq = { redisUrl: REDIS_URL, databaseUrl: directUrl(settings), prefix: BULLMQ_PREFIX };
  return [
    describeBullmq(bullmq, topology),
    ...(RABBITMQ_URL === undefined ? [] : [describeRabbitmq({ url: RABBITMQ_URL, prefix }, topology)]),
    ...(KAFKA_BROKERS === undefined ? [] : [describeKafka({ brokers: KAFKA_BROKERS, prefix }, topology)]),
  ];
}
