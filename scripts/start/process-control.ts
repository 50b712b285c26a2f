import { isOrder, type SupervisorOrder } from '@app/observability';
import type { Child } from './child';

/** How long a process that is asked to stop may take. */
const stopMs = 10_000;

/**
 * Lets the API have the other processes killed, stopped and started, for people who want to see what comes of it.
 * Development only: the supervisor makes none in production.
 */
export class ProcessControl {
  private readonly others: readonly Child[];

  constructor(
    private readonly api: Child,
    apps: readonly Child[],
  ) {
    this.others = apps.filter((app) => app !== api);
    api.on('message', (message) => {
      if (isOrder(message)) void this.carryOut(message);
    });
    for (const app of apps) app.on('change', () => this.report());
  }

  private async carryOut({ name, action }: SupervisorOrder): Promise<void> {
    const child = this.others.find((other) => other.name === name);
    const isStopped = child?.seen.state === 'stopped';
    if (action === 'kill') await child?.kill();
    else if (action === 'stop') await child?.stop(stopMs);
    else if (isStopped) await child.start();
    this.report();
  }

  private report(): void {
    this.api.tell({ processes: this.others.map(({ seen }) => seen) });
  }
}
