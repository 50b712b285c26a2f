import type { Broker } from '../../scripts/brokers/broker';
import { findBroker, type FoundBroker } from '../../scripts/brokers/find';
import { keepForTeardown } from './run-folder';

/**
 * Finds all brokers for a test run at the same time. Tests read the address of a found broker from the environment, as
 * `TEST_REDIS_URL` and the like.
 * @throws Error with `REQUIRE_BROKERS=all` that names all missing brokers
 */
export async function setUpBrokers(brokers: readonly Broker[]): Promise<void> {
  const looked = await Promise.allSettled(brokers.map(setUpBroker));
  const missing = brokers.flatMap((broker, index) => {
    const outcome = looked[index]!;
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value.found ? [] : [{ name: broker.name, howToGet: outcome.value.howToGet }];
  });
  if (missing.length > 0 && process.env['REQUIRE_BROKERS'] === 'all') {
    const lines = missing.map(({ name, howToGet }) => `no ${name}: ${howToGet}`);
    throw new Error(`REQUIRE_BROKERS=all, but there is\n${lines.join('\n')}`);
  }
  for (const { name, howToGet } of missing) {
    process.stderr.write(`\nNo ${name}: the tests that need it are skipped. ${howToGet}\n`);
  }
}

async function setUpBroker(broker: Broker): Promise<FoundBroker> {
  const looked = await findBroker(broker);
  if (looked.found) {
    keepForTeardown(looked.stop);
    process.env[`TEST_${broker.variable}`] = looked.url;
  }
  return looked;
}
