import { isOrder, type SupervisorOrder } from '@app/observability/supervision';
import type { Child } from './child';

/** How long a process that is asked to stop may take, in milliseconds. */
const stopMs = 10_000;

/**
 * Lets the API kill, stop and start the other processes, to show what happens then. Development only: in production the
 * supervisor creates none.
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
