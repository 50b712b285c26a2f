import type { BenchBroker, Take } from '../brokers/bench-broker';
import { clients, type DriverName } from '../brokers/clients';
import { FinishLine } from './finish-line';

/**
 * Runs a contender process that does not use this library: it reports ready, receives its order and ends in order.
 * @param takeFor makes the function that handles messages that arrive together
 */
export async function runContender(takeFor: (line: FinishLine) => { take: Take; end?: () => Promise<void> }) {
  const driver = process.env['BENCH_DRIVER'] as DriverName;
  const broker: BenchBroker = await clients[driver](process.env);
  const line = new FinishLine(() => consumption.start());
  const { take, end } = takeFor(line);
  const consumption = await broker.consume(Number(process.env['BENCH_CONCURRENCY']), take);

  const stop = async (): Promise<void> => {
    await consumption.stop();
    await broker.close();
    await end?.();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'disconnect']) process.once(signal, () => void stop());
  process.send!('ready');
}
