import type { Bus } from '../bus';
import type { Leases } from '../leases';
import type { MessagingEvents } from '../messaging-events';
import type { BrokerDriver } from '../port/broker-driver';

/** How long handlers that were asked to stop have, of the whole grace. */
const abortGraceMs = 5_000;

/** The life of a worker: begin to take jobs, and end without losing one. */
export class WorkerRuntime {
  constructor(
    private readonly bus: Bus,
    private readonly leases: Leases,
    private readonly drivers: readonly BrokerDriver[],
    private readonly events: MessagingEvents,
    private readonly graceMs: number,
  ) {}

  /** @returns the steps of the pipeline */
  async start(): Promise<readonly string[]> {
    this.leases.start();
    return this.bus.start();
  }

  /**
   * In this order: no new deliveries; wait for the handlers; ask the rest to stop and hand their jobs back; then
   * acknowledge and close the brokers. The pool of the ledger is closed after this, by whoever made it.
   */
  async drain(): Promise<void> {
    await this.bus.stopIntake();
    this.events.emit('draining');
    await this.bus.idle(Math.max(0, this.graceMs - abortGraceMs));
    // Whoever still runs is asked to stop.
    this.leases.abortAll('drain');
    // A little more than the handlers get, so that what they leave behind can be written.
    await this.bus.idle(abortGraceMs + 1_000);
    await Promise.all(this.drivers.map((driver) => driver.close()));
    await this.leases.stop();
  }
}
