import { z } from 'zod';
import { BrokerRoutes, brokerSettingNames, configuredBrokers, readSettings } from '@app/configuration';
import { defineEvent } from '@app/contracts';
import { eventDefinitions, jobDefinitions } from '@app/features/catalogue';
import { queuesOf } from '@app/messaging';
import { describeBrokers } from '../../apps/api/src/asyncapi/describe-brokers';
import { asyncApiDocument } from '../../apps/api/src/asyncapi/document';

/** An event with subscribers, and with names that are hard to put into a document. */
export const priceChanged = defineEvent({
  kind: 'price.changed',
  version: 2,
  broker: 'kafka',
  data: z.object({ sku: z.string(), cents: z.int().min(0) }),
  key: ({ sku }) => sku,
  subscribers: ['search', 'search@2'],
  partitions: 6,
});

/**
 * The document of all jobs and events, and of `priceChanged`.
 * @param environment the variables with the addresses of the brokers
 */
export function documentWith(environment: NodeJS.ProcessEnv): any {
  const settings = readSettings(brokerSettingNames, environment);
  const events = [...eventDefinitions, priceChanged];
  const brokers = describeBrokers(settings, { queues: queuesOf(jobDefinitions), events });
  const routes = new BrokerRoutes(configuredBrokers(settings), jobDefinitions);
  return asyncApiDocument({ jobs: jobDefinitions, events }, brokers, routes);
}

/** The messages of a document by name, as schemas that parse them. */
export function schemasOf(document: any): Record<string, z.ZodType> {
  const messages = Object.entries<any>(document.components.messages);
  return Object.fromEntries(messages.map(([name, { payload }]) => [name, z.fromJSONSchema(payload)]));
}
