import type { Bus } from './bus';
import type { Leases } from './leases';
import type { MessagingSignals } from '../messaging-signals';
import type { BrokerDriver } from '../port/broker-driver';

/** How long handlers that were asked to stop have, of the whole grace. */
const abortGraceMs = 5_000;

/** The life of a worker: begin to take jobs, and end without losing one. */
export class WorkerRuntime {
  constructor(
    private readonly bus: Bus,
    private readonly leases: Leases,
    private readonly drivers: readonly BrokerDriver[],
    private readonly signals: MessagingSignals,
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
   * @param tell gets what it waits for, once for each of these that takes time
   */
  async drain(tell: (waitsFor: string) => void = () => undefined): Promise<void> {
    await this.bus.stopIntake();
    this.signals.emit('draining');
    const finishMs = Math.max(0, this.graceMs - abortGraceMs);
    if (this.bus.inFlightCount > 0) tell(`finishes ${this.inFlight}, at most ${seconds(finishMs)}`);
    await this.bus.idle(finishMs);
    // A little more than the handlers get, so that what they leave behind can be written.
    const handBackMs = abortGraceMs + 1_000;
    if (this.bus.inFlightCount > 0)
      tell(`asks ${this.inFlight} to stop and hands back, at most ${seconds(handBackMs)}`);
    this.leases.abortAll('drain');
    await this.bus.idle(handBackMs);
    await Promise.all(this.drivers.map((driver) => driver.close()));
    await this.leases.stop();
  }

  /** Messages of events are in flight without a job. */
  private get inFlight(): string {
    const jobs = this.leases.size;
    const count = jobs || this.bus.inFlightCount;
    return `${count} ${jobs > 0 ? 'job' : 'message'}${count === 1 ? '' : 's'}`;
  }
}

const seconds = (ms: number) => `${Math.ceil(ms / 1_000)} s`;
