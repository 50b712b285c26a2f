/** The order of the bench to a worker process: start, and report when this number of jobs is done. */
export interface DrainOrder {
  readonly jobs: number;
  /** How many of them do not count, because code and connections are still cold. */
  readonly warmUp: number;
}

export interface DrainReport {
  readonly jobsPerSecond: number;
  /** How often the handler ran, including the warm-up. */
  readonly runs: number;
  /** Of this process alone, per job. */
  readonly cpuSecondsPerJob: number;
}

/** Counts in the process that does the work, with its own clock. */
export class FinishLine {
  /** The program that runs the jobs increments this counter. */
  runs = 0;
  private order: DrainOrder | undefined;
  private finished = 0;
  private warm: { readonly at: number; readonly cpuSeconds: number; readonly finished: number } | undefined;

  /** Calls `begin` when the order arrives. */
  constructor(begin: () => void) {
    process.once('message', (order: DrainOrder) => {
      this.order = order;
      begin();
    });
  }

  /** Reports that more jobs are finished. */
  passed(count = 1): void {
    this.finished += count;
    const { jobs, warmUp } = this.order!;
    if (this.finished >= warmUp) {
      this.warm ??= { at: performance.now(), cpuSeconds: cpuSeconds(), finished: this.finished };
    }
    if (this.finished < jobs || this.finished - count >= jobs) return;
    const counted = this.finished - this.warm!.finished;
    process.send!({
      jobsPerSecond: (counted / (performance.now() - this.warm!.at)) * 1_000,
      runs: this.runs,
      cpuSecondsPerJob: (cpuSeconds() - this.warm!.cpuSeconds) / counted,
    } satisfies DrainReport);
  }
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
