import { findBroker, allBrokers } from '../brokers/find';
import { startTemporaryPostgres } from '../postgres/temporary-database';
import { servers, type Addresses, type Server } from './servers';

export interface FoundServers {
  readonly addresses: Addresses;
  /** One sentence for each server that there is not: why, and how to get it. */
  readonly lacking: ReadonlyMap<Server, string>;
  /** Stops the servers that were started for this run. */
  stop(): Promise<void>;
}

/**
 * Finds servers as the tests do: at the address of its variable, else started for this run from an installed program,
 * else with Docker. PostgreSQL comes with this project. All of them start at the same time.
 */
export async function findServers(projectFolder: string, needed: readonly Server[]): Promise<FoundServers> {
  const addresses: Partial<Record<Server, string>> = {};
  const lacking = new Map<Server, string>();
  const stops: (() => Promise<void>)[] = [];
  const startPostgres = async (): Promise<string> => {
    const postgres = await startTemporaryPostgres(projectFolder);
    stops.push(() => postgres.stop());
    return postgres.url;
  };
  const find = async (server: Server): Promise<void> => {
    const { variable } = servers[server];
    const given = process.env[variable];
    const broker = allBrokers.find((one) => one.variable === variable);
    try {
      if (!broker) {
        addresses[server] = given || (await startPostgres());
        return;
      }
      const found = await findBroker(broker);
      if (!found.found) return void lacking.set(server, found.howToGet);
      stops.push(found.stop);
      if (given) await broker.ask(given);
      addresses[server] = found.url;
    } catch (error) {
      const reason = (error as Error).message;
      lacking.set(
        server,
        given
          ? `No server answers at ${variable}. Start it, or unset ${variable} to let this command start one.`
          : reason,
      );
    }
  };
  await Promise.all(needed.map(find));
  return {
    addresses,
    lacking,
    stop: async () => {
      await Promise.all(stops.splice(0).map((stop) => stop()));
    },
  };
}
