import { BrokerNotInstalled, type Broker } from './broker';
import { dockerRuns, startInDocker } from './docker';

export type FoundBroker =
  | { readonly found: true; readonly url: string; readonly stop: () => Promise<void> }
  | { readonly found: false; readonly howToGet: string };

/** By its variable, else by what is installed, else by Docker; the last two for us alone, until `stop`. */
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
