import { setTimeout as delay } from 'node:timers/promises';
import { ConfigurationError } from '@app/configuration';
import { checkDatabaseAtStart, PoolerRefused, type DatabaseAddresses } from '@app/messaging';
import { stopOrder, type Refusal, type StopProgress } from './supervision';
import { startTracing } from './tracing/start-tracing';

/** A started process, for `runProcess`. */
export interface RunningProcess {
  /**
   * Stops in order. The process exits with 0 when this resolves.
   * @param tell gets a text for each step that takes time: "finishes 3 jobs, at most 25 s"
   */
  stop(tell: (waitsFor: string) => void): Promise<void>;
}

/** Longer than any drain, in milliseconds: after this the process exits anyway. */
const hangMs = 10_000;

const closeMs = 3_000;

/** When the start is over, in milliseconds after the process is ready. */
const settledMs = 5_000;

/** Closes a Nest application that has already drained. Its clients may wait for servers that are away. */
export async function closeDrained(app: { close(): Promise<void> }): Promise<void> {
  await Promise.race([app.close(), delay(closeMs, undefined, { ref: false })]);
}

/**
 * Returns the memory that only the start has used to the system, about 25 MB with Node 24. By itself V8 does it when the
 * process needs memory again, which an idle one never does. Without --expose-gc, and in Node 20, nothing happens.
 */
function returnMemoryOfStart(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/**
 * Runs a process: starts it, reports to the parent that it is ready, and stops it in order on SIGTERM, on SIGINT, and
 * when the parent asks for it or has ended. An error at the start is printed without a stack, for the operator.
 */
export async function runProcess<
  Settings extends {
    SHUTDOWN_GRACE_MS: number;
    OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  } & Partial<DatabaseAddresses>,
>(name: string, readSettings: () => Settings, start: (settings: Settings) => Promise<RunningProcess>): Promise<void> {
  const life: { stopping: boolean; running?: RunningProcess; endTracing?: () => Promise<void>; graceMs: number } = {
    stopping: false,
    graceMs: 0,
  };

  const stop = async (): Promise<void> => {
    if (life.stopping) return;
    life.stopping = true;
    setTimeout(() => process.exit(1), life.graceMs + hangMs).unref();
    await life.running?.stop(tell);
    await life.endTracing?.();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'disconnect']) process.on(signal, () => void stop().catch(die));
  process.on('message', (message) => {
    if (message === stopOrder) void stop().catch(die);
  });

  try {
    const settings = readSettings();
    life.graceMs = settings.SHUTDOWN_GRACE_MS;
    const { DATABASE_URL } = settings;
    if (DATABASE_URL !== undefined) await checkDatabaseAtStart({ ...settings, DATABASE_URL }, die);
    life.endTracing = startTracing(name, settings.OTEL_EXPORTER_OTLP_ENDPOINT);
    life.running = await start(settings);
  } catch (error) {
    if (!life.stopping) die(error);
    return;
  }
  if (!life.stopping) process.send?.('ready', () => undefined); // The parent may have ended, which is not an error here.
  setTimeout(returnMemoryOfStart, settledMs).unref();

  function tell(waitsFor: string): void {
    const progress: StopProgress = { waitsFor };
    if (process.connected) process.send!(progress, () => undefined);
    else process.stderr.write(`stopping: ${name} ${waitsFor}\n`);
  }

  function die(error: unknown): void {
    const isForPeople = error instanceof Error && 'code' in error;
    process.stderr.write(
      `${name}: ${isForPeople ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
    );
    const isForAPerson = error instanceof ConfigurationError || error instanceof PoolerRefused;
    if (!isForAPerson || !process.connected) process.exit(1);
    const refusal: Refusal = { refused: `${name} cannot start; see above.` };
    process.send!(refusal, () => process.exit(1));
  }
}
