import type { JobDefinition } from '@app/contracts';
import { claim, settle } from '@app/persistence';
import { Batcher } from './batcher';
import { Drain } from './drain';
import type { EventSubscription } from './events/event-handler';
import { EventConsumer, type DeliveryEnd } from './events/event-consumer';
import { nameOf, type EventRegistry } from './events/event-registry';
import type { HandlerRegistry } from './handlers/handler-registry';
import { LeftUnacked } from './pipeline/parse';
import { createPipeline } from './pipeline/pipeline';
import type { WorkerDependencies } from './pipeline/worker-dependencies';
import type { BrokerDriver, Deliver, Delivery, Subscription } from './port/broker-driver';
import { subscriberQueue } from './port/topology';
import { QueueReports } from './queue-reports';
import { retryUntilDatabaseUp } from './retry-until-database-up';
import { ConcurrencyLimiter } from './concurrency-limiter';
import { RateLimiter } from './rate-limiter';

/** The jobs and events that a process handles. */
export interface Served {
  readonly jobs: readonly JobDefinition[];
  readonly events: readonly EventSubscription[];
}

export interface Registries {
  readonly jobs: Pick<HandlerRegistry, 'resolve'>;
  readonly events: Pick<EventRegistry, 'resolve'>;
}

export interface BusSettings {
  readonly leaseMs: number;
}

/** Connects a worker's brokers with its handlers. */
export class Bus {
  private subscriptions: { readonly broker: string; readonly queue: string; readonly subscription: Subscription }[] =
    [];
  private readonly reports: QueueReports;
  private readonly drain = new Drain();
  private readonly inFlight = new Set<Promise<unknown>>();

  constructor(
    private readonly drivers: readonly BrokerDriver[],
    private readonly served: Served,
    private readonly registries: Registries,
    private readonly dependencies: Omit<
      WorkerDependencies,
      'handlers' | 'concurrencyLimiters' | 'rateLimiter' | 'drain' | 'claims' | 'settlements'
    >,
    private readonly settings: BusSettings,
  ) {
    this.reports = new QueueReports(dependencies.pool, () =>
      this.subscriptions.map(({ broker, queue, subscription: { trouble } }) => ({ broker, queue, trouble })),
    );
  }

  /**
   * Checks the handlers, then subscribes to every queue on every configured broker.
   * @returns the pipeline's steps, for printing
   * @throws BootCheckError
   */
  async start(): Promise<readonly string[]> {
    const { pool, prisma, signals } = this.dependencies;
    const { jobs } = this.served;
    // Prisma loads its query compiler at its first query: better here than inside the first job.
    await prisma.$queryRaw`SELECT 1`;
    const pipeline = createPipeline({
      ...this.dependencies,
      handlers: this.registries.jobs.resolve(jobs, this.drivers),
      concurrencyLimiters: new Map(
        jobs.map(({ kind, concurrency }) => [kind, new ConcurrencyLimiter(concurrency, this.drain)]),
      ),
      rateLimiter: new RateLimiter(pool, signals, this.drivers),
      drain: this.drain,
      claims: new Batcher((dispatches) =>
        retryUntilDatabaseUp('claim', signals, () => claim(pool, dispatches, this.settings.leaseMs)),
      ),
      settlements: new Batcher((settlements) =>
        retryUntilDatabaseUp('settle', signals, () => settle(pool, settlements)),
      ),
    });
    const deliver = this.deliverTo(
      (delivery) => pipeline.run(delivery).then((): DeliveryEnd => 'acknowledge'),
      // The lease, or the reconciler, brings back a job of ours.
      (error) => (error instanceof LeftUnacked ? 'leave unacked' : 'acknowledge'),
    );
    const intakes = this.registries.events
      .resolve(this.served.events, this.drivers)
      .map(
        (registered) =>
          [
            registered.subscription,
            new EventConsumer({ pool, prisma, signals, drain: this.drain }, registered),
          ] as const,
      );
    for (const driver of this.drivers) {
      for (const queue of new Set(jobs.map((definition) => definition.queue))) {
        this.subscriptions.push({
          broker: driver.name,
          queue,
          subscription: await driver.subscribe(queue, deliver),
        });
        signals.emit('subscribed', driver.name, queue);
      }
      for (const [heard, intake] of intakes) {
        const take = this.deliverTo((delivery) => intake.consume(delivery));
        this.subscriptions.push({
          broker: driver.name,
          queue: subscriberQueue(heard.event.kind, heard.subscriber),
          subscription: await driver.subscribeTo(heard, take),
        });
        signals.emit('subscribed', driver.name, nameOf(heard));
      }
    }
    this.reports.start();
    return pipeline.lines;
  }

  /**
   * A message that is left unacknowledged gets a promise that never resolves: the broker redelivers it after this
   * process has ended.
   */
  private deliverTo(
    take: (delivery: Delivery) => Promise<DeliveryEnd>,
    afterFault: (error: unknown) => DeliveryEnd = () => 'leave unacked',
  ): Deliver {
    return async (delivery) => {
      const taken = await this.track(
        take(delivery).catch((error: unknown) => {
          this.dependencies.signals.emit('delivery_failed', delivery, error);
          return afterFault(error);
        }),
      );
      if (taken === 'leave unacked') await new Promise(() => undefined);
    };
  }

  /** Stops the subscriptions. A message that was delivered and not claimed is claimed and handed back at once. */
  async stopIntake(): Promise<void> {
    this.dependencies.leases.refuse();
    this.drain.begin();
    await Promise.all(this.subscriptions.map(({ subscription }) => subscription.stop()));
    this.subscriptions = [];
    await this.reports.stop();
  }

  get inFlightCount(): number {
    return this.inFlight.size;
  }

  /** Waits until nothing is in flight, at most `ms` milliseconds. @returns whether nothing is in flight */
  async idle(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const timeOut = new Promise((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    while (this.inFlight.size > 0) {
      const left = await Promise.race([Promise.all(this.inFlight).then(() => 'idle'), timeOut]);
      if (left !== 'idle') break;
    }
    clearTimeout(timer);
    return this.inFlight.size === 0;
  }

  private track<Result>(passage: Promise<Result>): Promise<Result> {
    this.inFlight.add(passage);
    return passage.finally(() => this.inFlight.delete(passage));
  }
}
