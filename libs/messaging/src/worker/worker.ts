import type { JobDefinition } from '@app/contracts';
import type { QueueReader } from '@app/ledger';
import type { BrokerConsumer, Deliver, Delivery, EventSubscription, Subscription } from '../port/consumer';
import { subscriberQueue } from '../port/topology';
import { retryUntilDatabaseUp } from '../retry-until-database-up';
import { withTimeout } from '../with-timeout';
import { Drain } from './drain';
import { EventConsumer, type DeliveryEnd } from './events/event-consumer';
import { nameOf, type EventRegistry } from './events/event-registry';
import type { HandlerRegistry } from './handlers/handler-registry';
import { InFlight } from './in-flight';
import { LeftUnacked } from './pipeline/parse';
import { createPipeline } from './pipeline/pipeline';
import type { WorkerDependencies } from './pipeline/steps';
import { QueueReports } from './queue-reports';

/** The part of the grace that handlers have after they were asked to stop, in milliseconds. */
const abortGraceMs = 5_000;

export interface WorkerOptions {
  readonly drivers: readonly BrokerConsumer[];
  /** The kinds of jobs that this process runs. */
  readonly jobs: readonly JobDefinition[];
  /** The events that this process subscribes to. */
  readonly subscriptions: readonly EventSubscription[];
  readonly leaseMs: number;
  /** Milliseconds from the first request to stop until the process must have ended. */
  readonly graceMs: number;
}

export interface Registries {
  readonly jobs: Pick<HandlerRegistry, 'resolve'>;
  readonly events: Pick<EventRegistry, 'resolve'>;
}

interface Consumed {
  readonly broker: string;
  readonly queue: string;
  readonly subscription: Subscription;
}

/** Consumes the queues of a process on all its brokers, and ends without losing a job. */
export class Worker {
  private consumed: Consumed[] = [];
  private readonly drainBegin = new Drain();
  private readonly inFlight = new InFlight();
  private readonly reports: QueueReports;

  constructor(
    private readonly options: WorkerOptions,
    private readonly registries: Registries,
    private readonly shared: Pick<WorkerDependencies, 'pool' | 'transactions' | 'signals' | 'wakeUp' | 'leases'>,
  ) {
    this.reports = new QueueReports(shared.pool, () => this.queues);
  }

  /** The queues that this process consumes, and why it cannot consume one now. */
  get queues(): readonly QueueReader[] {
    return this.consumed.map(({ broker, queue, subscription: { trouble } }) => ({ broker, queue, trouble }));
  }

  /**
   * Checks the handlers, then subscribes to every queue on every configured broker.
   * @returns the pipeline's steps, as lines for a log
   * @throws BootCheckError when a handler is missing, or a broker cannot keep what a definition promises
   */
  async start(): Promise<readonly string[]> {
    const { drivers, jobs, subscriptions, leaseMs } = this.options;
    const { signals, pool } = this.shared;
    // By the pool: Prisma's first query loads its query compiler, tens of megabytes that a worker may never need.
    await retryUntilDatabaseUp('start', signals, () => pool.query('SELECT 1'));
    const dependencies = { ...this.shared, drain: this.drainBegin };
    const handlers = this.registries.jobs.resolve(jobs, drivers);
    const pipeline = createPipeline({ ...dependencies, drivers, handlers, leaseMs });
    const deliverJob = this.deliverTo(
      (delivery) => pipeline.run(delivery).then((): DeliveryEnd => 'acknowledge'),
      // A job of ours runs again after its lease, or through the reconciler, so its message is no longer needed.
      (error) => (error instanceof LeftUnacked ? 'leave unacked' : 'acknowledge'),
    );
    const eventConsumers = this.registries.events
      .resolve(subscriptions, drivers)
      .map((registered) => new EventConsumer(dependencies, registered));
    this.shared.leases.start();
    for (const driver of drivers) {
      for (const queue of new Set(jobs.map((definition) => definition.queue))) {
        this.add(driver, queue, queue, await driver.subscribe(queue, deliverJob));
      }
      for (const consumer of eventConsumers) {
        const { subscription } = consumer.registered;
        const deliverEvent = this.deliverTo((delivery) => consumer.consume(delivery));
        const queue = subscriberQueue(subscription.event.kind, subscription.subscriber);
        this.add(driver, queue, nameOf(subscription), await driver.subscribeTo(subscription, deliverEvent));
      }
    }
    this.reports.start();
    return pipeline.lines;
  }

  /**
   * Drains in this order: stop deliveries; wait for the handlers; ask the rest to stop, and hand their jobs back;
   * acknowledge and close the brokers; end the heartbeat. The caller closes the ledger's pool after it.
   * @param tell gets one line for each wait, such as "finishes 3 jobs, at most 25 s"
   */
  async drain(tell: (waitsFor: string) => void = () => undefined): Promise<void> {
    const { drivers, graceMs } = this.options;
    const { leases, signals } = this.shared;
    this.drainBegin.begin();
    await Promise.all(this.consumed.map(({ subscription }) => subscription.stop()));
    this.consumed = [];
    await this.reports.stop();
    signals.emit('draining');

    const finishMs = Math.max(0, graceMs - abortGraceMs);
    if (this.inFlight.size > 0) tell(`finishes ${this.countInFlight()}, at most ${seconds(finishMs)}`);
    await this.idle(finishMs);

    // A little more than the handlers get, so that their results can still be written.
    const handBackMs = abortGraceMs + 1_000;
    if (this.inFlight.size > 0) {
      tell(
        `asks ${this.countInFlight()} to stop and returns unfinished work to the queue, at most ${seconds(handBackMs)}`,
      );
    }
    leases.abortAll();
    await this.idle(handBackMs);

    await Promise.all(drivers.map((driver) => driver.close()));
    await leases.stop();
  }

  /** A delivery that is left unacknowledged never resolves: its broker redelivers it when this process has ended. */
  private deliverTo(
    consume: (delivery: Delivery) => Promise<DeliveryEnd>,
    afterFault: (error: unknown) => DeliveryEnd = () => 'leave unacked',
  ): Deliver {
    return async (delivery) => {
      this.inFlight.begin();
      let end: DeliveryEnd;
      try {
        end = await consume(delivery);
      } catch (error) {
        this.shared.signals.emit('delivery_failed', delivery, error);
        end = afterFault(error);
      } finally {
        this.inFlight.end();
      }
      if (end === 'leave unacked') await new Promise(() => undefined);
    };
  }

  /** Waits until nothing is in flight, at most `ms` milliseconds. */
  private async idle(ms: number): Promise<void> {
    await withTimeout(ms, this.inFlight.idle(), 'not idle').catch(() => undefined);
  }

  private add(driver: BrokerConsumer, queue: string, name: string, subscription: Subscription): void {
    this.consumed.push({ broker: driver.name, queue, subscription });
    this.shared.signals.emit('subscribed', driver.name, name);
  }

  /** A message of an event is in flight without a job. */
  private countInFlight(): string {
    const jobs = this.shared.leases.size;
    const count = jobs || this.inFlight.size;
    return `${count} ${jobs > 0 ? 'job' : 'message'}${count === 1 ? '' : 's'}`;
  }
}

const seconds = (ms: number) => `${Math.ceil(ms / 1_000)} s`;
