import { setTimeout as delay } from 'node:timers/promises';
import { Processor, WorkerHost } from '@nestjs/bullmq';
import type { Type } from '@nestjs/common';
import type { Job, Worker } from 'bullmq';
import type { Deliver, Subscription } from '../../port/consumer';
import { isDispatch } from '../../port/job-message';
import { reasonOf } from '../../reason-of';
import type { QueueTopology } from '../../port/topology';
import { failForGood, type BullmqConnection, type BullmqSettings } from './bullmq-connection';
import { bodyOf, troubleOf } from './tolerant-worker';

const pauseMs = 1_000;

/** One BullMQ worker. Nest creates it when the module starts. It takes no job before `start` is called. */
export abstract class QueueProcessor extends WorkerHost implements Subscription {
  private deliver: Deliver | undefined;
  private stopped = false;
  /** The last error before the backend was reached for the first time. */
  private unreached: string | undefined;

  constructor(
    private readonly queue: string,
    private readonly connection: BullmqConnection,
  ) {
    super();
  }

  async process(job: Job): Promise<void> {
    // A handled message is in the ledger, as a job or as a dead letter. So BullMQ keeps no copy, whatever options its
    // sender set: such a message may be as large as the backend accepts.
    if (!isDispatch(job.data)) Object.assign(job.opts, { removeOnComplete: true, removeOnFail: true });
    const body = await bodyOf(job, this.worker, this.connection);
    await this.deliver!({ broker: 'bullmq', queue: this.queue, body });
  }

  /** Starts to take jobs once the backend is reached. */
  start(deliver: Deliver): void {
    this.deliver = deliver;
    const worker: Worker = this.worker;
    const notReached = (error: Error) => (this.unreached = reasonOf(error));
    worker.on('error', notReached);
    worker.waitUntilReady().then(
      () => {
        // BullMQ reconnects by itself from now on. `troubleOf` says why the worker cannot take jobs.
        this.unreached = undefined;
        worker.off('error', notReached).on('error', () => undefined);
        return worker.run();
      },
      (error: unknown) => failForGood(error, () => this.stopped),
    );
  }

  get trouble(): string | undefined {
    return this.unreached ?? troubleOf(this.worker);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    // BullMQ stops taking jobs with this call, but the promise also waits for a backend that may be away.
    await Promise.race([this.worker.pause(true), delay(pauseMs, undefined, { ref: false })]);
  }
}

/** @returns a new class for the queue: Nest reads the queue and the options of a processor from its class */
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
    // BullMQ gives a message to another worker when its worker died before the claim. The limit is high because the
    // ledger decides how often a job is tried.
    lockDuration: leaseMs,
    stalledInterval: Math.min(1_000, Math.ceil(leaseMs / 8)),
    maxStalledCount: 1_000_000,
    // Seconds after which an idle worker checks the queue itself, since notifications may get lost.
    drainDelay: 1,
    // Milliseconds to wait after the backend was away.
    runRetryDelay: 1_000,
  })
  class RegisteredQueueProcessor extends QueueProcessor {
    constructor() {
      super(queue, connection);
    }
  }
  return RegisteredQueueProcessor;
}
