import type { Refusal } from '@app/observability/supervision';
import { startPostgres } from '../postgres/embedded-postgres';
import type { PostgresLocation } from '../postgres/location';

/**
 * PostgreSQL's parent process. When its supervisor is killed, it shuts PostgreSQL down in order and then ends.
 * Arguments: the location as JSON, the port.
 */
async function keep(location: PostgresLocation, port: number): Promise<void> {
  // The supervisor handles signals to the whole process group, and then asks this process to stop.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
  let stopping = false;
  const postgres = await startPostgres(location, port);
  postgres.process.once('exit', (code) => {
    if (stopping) return;
    process.stderr.write(`PostgreSQL ended with code ${code}\n`);
    process.exit(1);
  });
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await postgres.stop();
    process.exit(0);
  };
  process.once('message', () => void stop());
  process.once('disconnect', () => void stop());
  if (!process.connected) await stop();
  else process.send!('ready');
}

const [location, port] = process.argv.slice(2);
keep(JSON.parse(location!) as PostgresLocation, Number(port)).catch((error: unknown) => {
  const refusal: Refusal = { refused: error instanceof Error ? error.message : String(error) };
  if (!process.connected) process.exit(1);
  process.send!(refusal, () => process.exit(1));
});
