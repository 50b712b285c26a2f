/** Something without which a process cannot work. */
export interface Dependency {
  /** Such as `database` or `rabbitmq: email`. */
  readonly name: string;
  /** @returns why it does not work now; undefined when it does. Never rejects */
  trouble(): Promise<string | undefined>;
}

/** What `/health/ready` says. */
export interface ReadinessReport {
  readonly status: 'up' | 'starting' | 'draining' | 'down';
  readonly dependencies: readonly {
    readonly name: string;
    readonly status: 'up' | 'down';
    /** Why it is down, and since when this process has seen that. */
    readonly reason?: string;
    readonly since?: string;
  }[];
}

/** Knows whether a process can work, and what keeps it from working since when. */
export class Readiness {
  private phase: 'starting' | 'running' | 'draining' = 'starting';
  private readonly downSince = new Map<string, Date>();

  /** @param dependencies read at each report, because a worker consumes its queues only after it has started */
  constructor(private readonly dependencies: () => readonly Dependency[]) {}

  started(): void {
    this.phase = 'running';
  }

  get isDraining(): boolean {
    return this.phase === 'draining';
  }

  /** From now on the process is not ready. */
  drain(): void {
    this.phase = 'draining';
  }

  async report(): Promise<ReadinessReport> {
    const dependencies = await Promise.all(this.dependencies().map((one) => this.look(one)));
    const isDown = dependencies.some(({ status }) => status === 'down');
    const status = this.phase !== 'running' ? this.phase : isDown ? 'down' : 'up';
    return { status, dependencies };
  }

  private async look(dependency: Dependency): Promise<ReadinessReport['dependencies'][number]> {
    const { name } = dependency;
    const reason = await dependency.trouble();
    if (reason === undefined) {
      this.downSince.delete(name);
      return { name, status: 'up' };
    }
    const since = this.downSince.get(name) ?? new Date();
    this.downSince.set(name, since);
    return { name, status: 'down', reason, since: since.toISOString() };
  }
}
