import type { Pool } from 'pg';
import type { OutboxWakeUp } from '@app/ledger';
import type { BrokerName, ScheduleDefinition } from '@app/contracts';
import { WakeUpListener } from '../wake-up-listener';
import { type BrokerDriver } from '../port/broker-driver';
import { type JobsService } from '../producer/jobs.service';
import { type MessagingSignals } from '../messaging-signals';
import { BrokerFault } from './broker-fault';
import { eventOutbox, jobOutbox, type Outbox } from './outbox';
import { PublishLoop } from './publish-loop';
import { Reconciler } from './reconciler';
import { Repeat } from './repeat';
import { Scheduler } from './scheduler';
import { Sweeper } from './sweeper';

/** How late a scheduled job may be, in milliseconds. */
const scheduleMs = 500;

export interface RelayOptions {
  readonly databaseUrl: string;
  readonly queues: readonly string[];
  /** The kinds of events that are routed to a broker. */
  readonly eventsOf: (broker: BrokerName) => readonly string[];
  readonly schedules: readonly ScheduleDefinition[];
  readonly leaseMs: number;
  readonly sweepMs: number;
  readonly reconcileMs: number;
  readonly forgottenAfterMs: number;
}

/** Everything that moves a job on outside of requests and handlers. Several relays may run at once. */
export class Relay {
  private readonly loops: Readonly<Record<'jobs' | 'events', readonly PublishLoop[]>>;
  private readonly repeats: Repeat[];
  private readonly listener: WakeUpListener;

  constructor(
    pool: Pool,
    private readonly drivers: readonly BrokerDriver[],
    wakeUp: OutboxWakeUp,
    jobs: JobsService,
    signals: MessagingSignals,
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
    this.repeats = [
      new Repeat(
        options.sweepMs,
        () => sweeper.sweep(),
        (error) => signals.emit('database_away', 'sweep', error, options.sweepMs),
      ),
      new Repeat(
        scheduleMs,
        () => scheduler.tick(),
        (error) => signals.emit('database_away', 'schedule', error, scheduleMs),
      ),
      ...drivers.map((driver) => {
        const reconciler = new Reconciler(pool, driver, options.queues, wakeUp, signals, options);
        return new Repeat(
          options.reconcileMs,
          () => reconciler.check(),
          (error) => {
            const { reconcileMs } = options;
            if (error instanceof BrokerFault) signals.emit('reconcile_failed', driver.name, error.cause, reconcileMs);
            else signals.emit('database_away', `reconcile ${driver.name}`, error, reconcileMs);
          },
        );
      }),
    ];
  }

  /** Starts everything. Waits until the relay listens for wake-ups, and so until PostgreSQL answers. */
  async start(): Promise<void> {
    await this.listener.start();
    for (const loop of this.allLoops) loop.start();
    for (const repeat of this.repeats) repeat.start();
  }

  /** Stops in this order: the timers and the listener, the publish loops with their current batches, the drivers. */
  async stop(): Promise<void> {
    await Promise.all([this.listener.stop(), ...this.repeats.map((repeat) => repeat.stop())]);
    await Promise.all(this.allLoops.map((loop) => loop.stop()));
    await Promise.all(this.drivers.map((driver) => driver.close()));
  }

  private get allLoops(): readonly PublishLoop[] {
    return Object.values(this.loops).flat();
  }
}
