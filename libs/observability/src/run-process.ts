/** What a process of this system can do. */
export interface RunningProcess {
  /** Ends the work in order. The process exits with 0 when it resolves. */
  stop(): Promise<void>;
}

/** A bit more than any drain: after this the process ends with what it has. */
const hangMs = 10_000;

/**
 * The life of every process: start, tell the parent that it is ready, and stop in order on SIGTERM, SIGINT or when
 * the parent is gone. A fault at start is printed without a stack: it is for the person who starts it.
 */
export async function runProcess<Settings extends { SHUTDOWN_GRACE_MS: number }>(
  name: string,
  readSettings: () => Settings,
  start: (settings: Settings) => Promise<RunningProcess>,
): Promise<void> {
  let stopping = false;
  let running: RunningProcess | undefined;
  let graceMs = 0;

  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), graceMs + hangMs).unref();
    await running?.stop();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'disconnect']) process.on(signal, () => void stop().catch(die));

  try {
    const settings = readSettings();
    graceMs = settings.SHUTDOWN_GRACE_MS;
    running = await start(settings);
  } catch (error) {
    if (!stopping) die(error);
  }
  if (!stopping) process.send?.('ready');

  function die(error: unknown): void {
    const isForPeople = error instanceof Error && 'code' in error;
    process.stderr.write(`${name}: ${isForPeople ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  }
}
