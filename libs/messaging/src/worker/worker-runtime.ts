import type { Bus } from '../bus';
import type { Leases } from '../leases';
import type { MessagingSignals } from '../messaging-signals';
import type { BrokerDriver } from '../port/broker-driver';

/** The part of the grace that handlers have after they were asked to stop, in milliseconds. */
const abortGraceMs = 5_000;

/** Starts a worker and drains it without losing a job. */
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
   * Drains in this order: no new deliveries; wait for the handlers; ask the rest to stop and hand their jobs back;
   * acknowledge and close the brokers. The owner of the ledger's pool closes it after this.
   * @param tell gets a text for each step that takes time
   */
  async drain(tell: (waitsFor: string) => void = () => undefined): Promise<void> {
    await this.bus.stopIntake();
    this.signals.emit('draining');
    const finishMs = Math.max(0, this.graceMs - abortGraceMs);
    if (this.bus.inFlightCount > 0) tell(`finishes ${this.inFlight}, at most ${seconds(finishMs)}`);
    await this.bus.idle(finishMs);
    // A little more than the handlers get, so that their results can still be written.
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
