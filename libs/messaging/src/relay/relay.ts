import type { Pool } from 'pg';
import { releaseHeld, type OutboxWakeUp, type RetentionAges, type RetentionWalks } from '@app/ledger';
import type { BrokerName, ScheduleDefinition } from '@app/contracts';
import { sleep } from '../sleep';
import { WakeUpListener } from '../wake-up-listener';
import type { BrokerPublisher } from '../port/publisher';
import type { JobsService } from '../producer/jobs.service';
import type { MessagingSignals } from '../messaging-signals';
import { eventOutbox, jobOutbox, type Outbox } from './outbox';
import { PublishLoop } from './publish-loop';
import { Reconciler } from './reconciler';
import { Redrives } from './redrives';
import { Retention, retentionEveryMs } from './retention';
import { Scheduler } from './scheduler';
import { Sweeper } from './sweeper';

export interface RelayOptions {
  readonly databaseUrl: string;
  readonly queues: readonly string[];
  /** The kinds of events that are routed to a broker. */
  readonly eventsOf: (broker: BrokerName) => readonly string[];
  readonly schedules: readonly ScheduleDefinition[];
  readonly leaseMs: number;
  /** How often it looks for what is due: expired leases, schedules, redrives and resumed queues. In milliseconds. */
  readonly sweepMs: number;
  readonly reconcileMs: number;
  readonly forgottenAfterMs: number;
  readonly retention: { readonly walks: RetentionWalks; readonly ages: RetentionAges };
}

/** A task that runs repeatedly, each time `everyMs` milliseconds after its last run has ended. */
interface Repeated {
  readonly what: string;
  readonly everyMs: number;
  /** Rejects with an error of the database. */
  readonly run: (stopped: AbortSignal) => Promise<void>;
}

/** Everything that moves a job on outside of requests and handlers. Several relays may run at once. */
export class Relay {
  private readonly loops: Readonly<Record<'jobs' | 'events', readonly PublishLoop[]>>;
  private readonly tasks: readonly Repeated[];
  private readonly listener: WakeUpListener;
  private readonly stopped = new AbortController();
  private repeating: Promise<void>[] = [];

  constructor(
    pool: Pool,
    private readonly drivers: readonly BrokerPublisher[],
    wakeUp: OutboxWakeUp,
    jobs: JobsService,
    private readonly signals: MessagingSignals,
    options: RelayOptions,
  ) {
    const loopOf = (outbox: Outbox) => new PublishLoop(pool, outbox, signals);
    this.loops = {
      jobs: drivers.map((driver) => loopOf(jobOutbox(driver))),
      events: drivers.flatMap((driver) => {
        const kinds = options.eventsOf(driver.name);
        return kinds.length > 0 ? [loopOf(eventOutbox(driver, kinds))] : [];
      }),
    };
    this.listener = new WakeUpListener(options.databaseUrl, 'relay', signals, (topics) => {
      for (const topic of ['jobs', 'events'] as const) {
        if (topics.has(topic)) for (const loop of this.loops[topic]) loop.wakeUp();
      }
    });
    const sweeper = new Sweeper(pool, wakeUp, signals, options);
    const scheduler = new Scheduler(pool, jobs, options.schedules);
    const redrives = new Redrives(pool, wakeUp, signals);
    const retention = new Retention(pool, options.retention, signals);
    this.tasks = [
      { what: 'sweep', everyMs: options.sweepMs, run: () => sweeper.sweep() },
      { what: 'schedule', everyMs: options.sweepMs, run: () => scheduler.tick() },
      { what: 'redrive', everyMs: options.sweepMs, run: (stopped) => redrives.step(stopped) },
      {
        what: 'release',
        everyMs: options.sweepMs,
        run: async () => {
          if ((await releaseHeld(pool)) > 0) wakeUp.request();
        },
      },
      { what: 'retention', everyMs: retentionEveryMs, run: (stopped) => retention.run(stopped) },
      ...drivers.map((driver) => {
        const reconciler = new Reconciler(pool, driver, options.queues, wakeUp, signals, options);
        return { what: `reconcile ${driver.name}`, everyMs: options.reconcileMs, run: () => reconciler.check() };
      }),
    ];
  }

  /** Starts everything. Waits until the relay listens for wake-ups, and so until PostgreSQL answers. */
  async start(): Promise<void> {
    await this.listener.start();
    for (const loop of this.allLoops) loop.start();
    this.repeating = this.tasks.map((task) => this.repeat(task));
  }

  /** Stops in this order: the tasks and the listener, the publish loops with their current batches, the drivers. */
  async stop(): Promise<void> {
    this.stopped.abort();
    await Promise.all([this.listener.stop(), ...this.repeating]);
    await Promise.all(this.allLoops.map((loop) => loop.stop()));
    await Promise.all(this.drivers.map((driver) => driver.close()));
  }

  private get allLoops(): readonly PublishLoop[] {
    return Object.values(this.loops).flat();
  }

  private async repeat({ what, everyMs, run }: Repeated): Promise<void> {
    for (;;) {
      await sleep(everyMs, this.stopped.signal);
      if (this.stopped.signal.aborted) return;
      await run(this.stopped.signal).catch((error: unknown) =>
        this.signals.emit('database_away', what, error, everyMs),
      );
    }
  }
}
