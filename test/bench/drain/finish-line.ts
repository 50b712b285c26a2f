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
}

/** Counts in the process that does the work, on its own clock. */
export class FinishLine {
  /** To be raised by whatever runs the jobs. */
  runs = 0;
  private order: DrainOrder | undefined;
  private finished = 0;
  private warmAt = 0;

  /** Calls `begin` when the order comes. */
  constructor(begin: () => void) {
    process.once('message', (order: DrainOrder) => {
      this.order = order;
      begin();
    });
  }

  /** One more job is done for good. */
  passed(): void {
    this.finished += 1;
    const { jobs, warmUp } = this.order!;
    if (this.finished === warmUp) this.warmAt = performance.now();
    if (this.finished !== jobs) return;
    const jobsPerSecond = ((jobs - warmUp) / (performance.now() - this.warmAt)) * 1_000;
    process.send!({ jobsPerSecond, runs: this.runs } satisfies DrainReport);
  }
}
