import type { Pool } from 'pg';
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';

/** Registers CPU, memory, event-loop lag and garbage collection of this process, and the connections of its pool. */
export function measureProcess(pool: Pool, registry: Registry): void {
  // Milliseconds between two looks at the event loop. With the default of 10 ms an idle process uses 1 % of a core for it.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  new Gauge({
    name: 'database_connections',
    help: 'Connections of the pool of this process',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      this.set({ state: 'idle' }, pool.idleCount);
      this.set({ state: 'busy' }, pool.totalCount - pool.idleCount);
    },
  });
  new Gauge({
    name: 'database_connection_waiters',
    help: 'Statements that wait for a connection of the pool',
    registers: [registry],
    collect() {
      this.set(pool.waitingCount);
    },
  });
}
