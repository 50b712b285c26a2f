import { BrokerNotInstalled, type Broker } from './broker';
import { dockerRuns, startInDocker } from './docker';
import { kafka } from './kafka';
import { rabbitmq } from './rabbitmq';
import { redis } from './redis';

export const allBrokers: readonly Broker[] = [redis, rabbitmq, kafka];

export type FoundBroker =
  | { readonly found: true; readonly url: string; readonly stop: () => Promise<void> }
  | { readonly found: false; readonly howToGet: string };

/**
 * Finds a broker: at the address of its variable, else among the installed programs, else with Docker. The last two run
 * for this caller alone, until `stop`.
 */
export async function findBroker(broker: Broker): Promise<FoundBroker> {
  const url = process.env[broker.variable];
  if (url) return { found: true, url, stop: () => Promise.resolve() };
  try {
    return { found: true, ...(await broker.start()) };
  } catch (error) {
    if (!(error instanceof BrokerNotInstalled)) throw error;
    if (await dockerRuns()) return { found: true, ...(await startInDocker(broker)) };
    return { found: false, howToGet: error.message };
  }
}
