import { setTimeout as delay } from 'node:timers/promises';
import { Processor, WorkerHost } from '@nestjs/bullmq';
import type { Type } from '@nestjs/common';
import type { Job, Worker } from 'bullmq';
import type { Deliver } from '../../port/broker-driver';
import { isDispatch } from '../../port/job-message';
import type { QueueTopology } from '../../port/topology';
import type { BullmqConnection, BullmqSettings } from './bullmq-connection';
import { failForGood } from './fail-for-good';
import { bodyOf, troubleOf } from './tolerant-worker';

const pauseMs = 1_000;

/** One BullMQ worker. Nest makes it when the module starts; it takes its first job when the bus subscribes. */
export abstract class QueueProcessor extends WorkerHost {
  private deliver: Deliver | undefined;
  private stopped = false;

  constructor(
    private readonly queue: string,
    private readonly connection: BullmqConnection,
  ) {
    super();
  }

  async process(job: Job): Promise<void> {
    // Handled, it is in the ledger, as a job or as a dead letter. What its sender wants BullMQ to keep of it is not ours
    // to hold: a message may be as large as the backend takes.
    if (!isDispatch(job.data)) Object.assign(job.opts, { removeOnComplete: true, removeOnFail: true });
    const body = await bodyOf(job, this.worker, this.connection);
    await this.deliver!({ broker: 'bullmq', queue: this.queue, body });
  }

  start(deliver: Deliver): void {
    this.deliver = deliver;
    const worker: Worker = this.worker;
    // Away is not an event for the worker: it tries again, and the relay tells people.
    worker.on('error', () => undefined);
    worker.waitUntilReady().then(
      () => worker.run(),
      (error: unknown) => failForGood(error, () => this.stopped),
    );
  }

  /** Why the last try to take a job has failed. */
  get trouble(): string | undefined {
    return troubleOf(this.worker);
  }

  /** Takes no further job; does not wait for those that run. */
  async stop(): Promise<void> {
    this.stopped = true;
    // BullMQ has stopped taking jobs once this is called; it also waits for a backend that may be away.
    await Promise.race([this.worker.pause(true), delay(pauseMs, undefined, { ref: false })]);
  }

  /** Waits for the jobs that run, so that each is acknowledged. */
  async close(): Promise<void> {
    await this.worker.close();
  }
}

/** @returns a class of its own for the queue, since Nest reads a processor's queue and options from its class */
export function queueProcessorFor(
  { queue, concurrency, rateLimit }: QueueTopology,
  connection: BullmqConnection,
  { prefix, leaseMs }: BullmqSettings,
): Type<QueueProcessor> {
  @Processor(queue, {
    autorun: false,
    connection: connection.forWorkers,
    prefix,
    concurrency,
    ...(rateLimit && { limiter: { max: rateLimit.max, duration: rateLimit.perMs } }),
    // What a worker has taken and not claimed when it dies is BullMQ's to give to another. However often that
    // happens, the ledger decides what it comes to.
    lockDuration: leaseMs,
    stalledInterval: Math.min(1_000, Math.ceil(leaseMs / 8)),
    maxStalledCount: 1_000_000,
    // Seconds until an idle worker looks by itself, behind the notifications, which may get lost.
    drainDelay: 1,
    // How long to wait after the backend was away.
    runRetryDelay: 1_000,
  })
  class RegisteredQueueProcessor extends QueueProcessor {
    constructor() {
      super(queue, connection);
    }
  }
  return RegisteredQueueProcessor;
}
