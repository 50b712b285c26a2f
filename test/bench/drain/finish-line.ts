/** What the bench asks of a worker process: begin, and report when so many jobs are done. */
export interface DrainOrder {
  readonly jobs: number;
  /** How many of them do not count: code and connections get warm. */
  readonly warmUp: number;
}

export interface DrainReport {
  readonly jobsPerSecond: number;
  /** How often the processor or handler ran, the warm-up included. */
  readonly runs: number;
  /** Of this process alone, for each job. */
  readonly cpuSecondsPerJob: number;
}

/** Counts in the process that does the work, on its own clock. */
export class FinishLine {
  /** To be raised by whatever runs the jobs. */
  runs = 0;
  private order: DrainOrder | undefined;
  private finished = 0;
  private warm: { readonly at: number; readonly cpuSeconds: number; readonly finished: number } | undefined;

  /** Calls `begin` when the order comes. */
  constructor(begin: () => void) {
    process.once('message', (order: DrainOrder) => {
      this.order = order;
      begin();
    });
  }

  /** So many more jobs are done for good. */
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
