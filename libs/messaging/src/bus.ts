import type { JobDefinition } from '@app/contracts';
import { claim, settle } from '@app/persistence';
import { Collector } from './collector';
import type { HandlerRegistry } from './handlers/handler-registry';
import { createPipeline } from './pipeline/pipeline';
import type { PipelineParts } from './pipeline/parts';
import type { BrokerDriver, Delivery, Subscription } from './port/broker-driver';
import { retryWhileAway } from './retry-while-away';
import { Slots } from './slots';

export interface BusSettings {
  readonly leaseMs: number;
}

/** A worker's way from its brokers to its handlers. */
export class Bus {
  private subscriptions: Subscription[] = [];
  private readonly inFlight = new Set<Promise<void>>();

  constructor(
    private readonly drivers: readonly BrokerDriver[],
    private readonly served: readonly JobDefinition[],
    private readonly registry: HandlerRegistry,
    private readonly parts: Omit<PipelineParts, 'handlers' | 'slots' | 'claims' | 'settlements'>,
    private readonly settings: BusSettings,
  ) {}

  /**
   * Checks the handlers, then subscribes every queue on every configured broker.
   * @returns the pipeline's steps, to be printed
   * @throws BootCheckError
   */
  async start(): Promise<readonly string[]> {
    const { pool, prisma, events } = this.parts;
    // Prisma loads its query compiler at its first query: better now than inside the first job.
    await prisma.$queryRaw`SELECT 1`;
    const pipeline = createPipeline({
      ...this.parts,
      handlers: this.registry.resolve(this.served, this.drivers),
      slots: new Map(this.served.map(({ kind, concurrency }) => [kind, new Slots(concurrency)])),
      claims: new Collector((dispatches) =>
        retryWhileAway('claim', events, () => claim(pool, dispatches, this.settings.leaseMs)),
      ),
      settlements: new Collector((settlements) => retryWhileAway('settle', events, () => settle(pool, settlements))),
    });
    const deliver = (delivery: Delivery): Promise<void> =>
      this.track(
        pipeline.run(delivery).catch((error: unknown) => {
          // A fault of ours. The lease, or the reconciler, brings the job back.
          events.emit('passage_failed', delivery, error);
        }),
      );
    for (const driver of this.drivers) {
      for (const queue of new Set(this.served.map((definition) => definition.queue))) {
        this.subscriptions.push(await driver.subscribe(queue, deliver));
        events.emit('subscribed', driver.name, queue);
      }
    }
    return pipeline.lines;
  }

  async stopIntake(): Promise<void> {
    await Promise.all(this.subscriptions.map((subscription) => subscription.stop()));
    this.subscriptions = [];
  }

  /** Resolves when nothing is in flight, or after `ms`. @returns whether nothing is */
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

  private track(passage: Promise<void>): Promise<void> {
    this.inFlight.add(passage);
    return passage.finally(() => this.inFlight.delete(passage));
  }
}
