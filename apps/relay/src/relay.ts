import type { Pool } from 'pg';
import type { OutboxWakeUp } from '@app/persistence';
import type { ScheduleDefinition } from '@app/contracts';
import type { BrokerDriver, JobsService, MessagingEvents } from '@app/messaging';
import { PublishLoop } from './publish-loop';
import { Reconciler } from './reconciler';
import { Repeat } from './repeat';
import { Scheduler } from './scheduler';
import { Sweeper } from './sweeper';
import { WakeUpListener } from './wake-up-listener';

/** How late a scheduled job may be. */
const scheduleMs = 500;

export interface RelayOptions {
  readonly databaseUrl: string;
  readonly queues: readonly string[];
  readonly schedules: readonly ScheduleDefinition[];
  readonly leaseMs: number;
  readonly sweepMs: number;
  readonly reconcileMs: number;
  readonly forgottenAfterMs: number;
}

/** Everything that moves a job on while no request and no handler runs. Several relays do each other no harm. */
export class Relay {
  private readonly loops: PublishLoop[];
  private readonly repeats: Repeat[];
  private readonly listener: WakeUpListener;

  constructor(
    pool: Pool,
    private readonly drivers: readonly BrokerDriver[],
    wakeUp: OutboxWakeUp,
    jobs: JobsService,
    events: MessagingEvents,
    options: RelayOptions,
  ) {
    this.loops = drivers.map((driver) => new PublishLoop(pool, driver, events));
    this.listener = new WakeUpListener(options.databaseUrl, events, () => {
      for (const loop of this.loops) loop.wakeUp();
    });
    const sweeper = new Sweeper(pool, wakeUp, events, options.leaseMs);
    const scheduler = new Scheduler(pool, jobs, options.schedules);
    this.repeats = [
      new Repeat(
        options.sweepMs,
        () => sweeper.sweep(),
        (error) => events.emit('database_away', 'sweep', error, options.sweepMs),
      ),
      new Repeat(
        scheduleMs,
        () => scheduler.tick(),
        (error) => events.emit('database_away', 'schedule', error, scheduleMs),
      ),
      ...drivers.map((driver) => {
        const reconciler = new Reconciler(pool, driver, options.queues, wakeUp, events, options);
        return new Repeat(
          options.reconcileMs,
          () => reconciler.check(),
          (error) => events.emit('reconcile_failed', driver.name, error, options.reconcileMs),
        );
      }),
    ];
  }

  async start(): Promise<void> {
    await this.listener.start();
    for (const loop of this.loops) loop.start();
    for (const repeat of this.repeats) repeat.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.listener.stop(), ...this.repeats.map((repeat) => repeat.stop())]);
    await Promise.all(this.loops.map((loop) => loop.stop()));
    await Promise.all(this.drivers.map((driver) => driver.close()));
  }
}
