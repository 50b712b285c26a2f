import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@nestjs/common';
import type { Consumer as KafkaConsumer, EachBatchPayload, Kafka } from 'kafkajs';
import type { Subscription } from '../../port/consumer';
import { withTimeout } from '../../with-timeout';
import { OffsetWindow } from './offset-window';

export interface Consumption {
  readonly topic: string;
  readonly group: string;
  /** How many messages are in flight at most, over all partitions. */
  readonly atOnce: number;
  readonly partitions: number;
  readonly sessionMs: number;
  /** The message is done when this resolves. */
  readonly handle: (message: EachBatchPayload['batch']['messages'][number], partition: number) => Promise<void>;
}

const heartbeatMs = 500;
const commitMs = 20;
const commitAgainMs = 500;
const restartMs = 500;
const partingMs = 2_000;
/** A restarted consumer looks healthy until it fails at the same record again; milliseconds. */
const troubleMs = 15_000;

/**
 * A member of a consumer group that restarts after any failure. The messages of a batch run concurrently, and a slow
 * one does not delay those behind it: a batch counts as read when all its messages have begun, and only the longest
 * prefix of ended messages is committed. At the concurrency limit no batch is read. kafkajs needs no other
 * back-pressure: it fetches nothing until its batches are read.
 */
export class Consumer implements Subscription {
  private consumer: KafkaConsumer | undefined;
  private windows = new Map<number, OffsetWindow>();
  private inFlight = 0;
  private stopped = false;
  private readonly ends = new EventEmitter().setMaxListeners(0);
  private commitTimer: NodeJS.Timeout | undefined;
  private committing: Promise<void> = Promise.resolve();
  private readonly running: Promise<void>;
  private ended!: () => void;
  private firstJoined!: () => void;
  private crash: { readonly why: string; readonly at: number } | undefined;
  /** Resolves when the consumer has joined its group for the first time. */
  readonly joined = new Promise<void>((resolve) => (this.firstJoined = resolve));
  private readonly closing = new Promise<void>((resolve) => (this.ended = resolve));

  /** @param prepare ensures that the topic exists; called before each start */
  constructor(
    private readonly kafka: Kafka,
    private readonly consumption: Consumption,
    private readonly prepare: () => Promise<void>,
    private readonly logger: Logger,
  ) {
    this.running = this.run();
  }

  get trouble(): string | undefined {
    return this.crash && performance.now() - this.crash.at < troubleMs ? this.crash.why : undefined;
  }

  stop(): Promise<void> {
    this.stopped = true;
    this.pause();
    this.ends.emit('end');
    return Promise.resolve();
  }

  /** Commits what is done, and leaves the group. */
  async close(): Promise<void> {
    await this.stop();
    clearTimeout(this.commitTimer);
    const committed = this.committing.then(() => this.commit());
    await withTimeout(partingMs, committed, 'it did not answer').catch(() => undefined);
    this.ended();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.prepare();
        await this.consumeUntilCrash();
      } catch (error) {
        this.crash = { why: (error as Error).message, at: performance.now() };
        this.logger.warn(`${this.consumption.group}: ${(error as Error).message}; it starts again in ${restartMs} ms`);
        await Promise.race([delay(restartMs, undefined, { ref: false }), this.closing]);
      }
    }
    await this.closing;
  }

  /** @throws Error when the consumer has ended by itself; resolves when it was closed */
  private async consumeUntilCrash(): Promise<void> {
    const { topic, group, partitions, sessionMs } = this.consumption;
    const consumer = this.kafka.consumer({
      groupId: group,
      sessionTimeout: sessionMs,
      rebalanceTimeout: sessionMs,
      heartbeatInterval: heartbeatMs,
      // Also the longest time that a disconnect waits.
      maxWaitTimeInMs: 500,
      maxBytesPerPartition: 256 * 1024,
      allowAutoTopicCreation: false,
      // This class handles every crash in the same way, so kafkajs must not restart.
      retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 5, restartOnFailure: () => Promise.resolve(false) },
    });
    const crashed = new Promise<never>((_, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    });
    crashed.catch(() => undefined);
    // Another member may own these partitions now, and only their owner may commit them.
    consumer.on(consumer.events.GROUP_JOIN, () => {
      this.windows = new Map();
      this.firstJoined();
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      this.consumer = consumer;
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: partitions,
        eachBatch: (payload) => this.read(payload),
      });
      if (this.stopped) this.pause();
      await Promise.race([crashed, this.closing]);
    } finally {
      this.consumer = undefined;
      this.windows = new Map();
      await withTimeout(partingMs, consumer.disconnect(), 'it did not answer').catch(() => undefined);
    }
  }

  private async read(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const window = this.windows.get(batch.partition) ?? new OffsetWindow();
    this.windows.set(batch.partition, window);
    for (const message of batch.messages) {
      while (this.inFlight >= this.consumption.atOnce && !this.stopped) {
        await withTimeout(heartbeatMs, once(this.ends, 'end'), 'a heartbeat is due').catch(() => undefined);
        await payload.heartbeat();
      }
      if (this.stopped || !payload.isRunning() || payload.isStale()) return;
      const end = window.begin(message.offset);
      this.inFlight += 1;
      void this.consumption.handle(message, batch.partition).then(() => {
        this.inFlight -= 1;
        end();
        this.ends.emit('end');
        this.commitSoon(commitMs);
      });
      payload.resolveOffset(message.offset);
    }
    await payload.heartbeat();
  }

  /** Commits once for all messages that end within `ms`. */
  private commitSoon(ms: number): void {
    this.commitTimer ??= setTimeout(() => {
      this.commitTimer = undefined;
      this.committing = this.committing.then(() => this.commit());
    }, ms);
  }

  private async commit(): Promise<void> {
    const { topic } = this.consumption;
    const { consumer, windows } = this;
    const due = [...windows].flatMap(([partition, window]) =>
      window.committable === undefined ? [] : [{ partition, window, offset: window.committable }],
    );
    if (!consumer || due.length === 0) return;
    try {
      await consumer.commitOffsets(due.map(({ partition, offset }) => ({ topic, partition, offset })));
      for (const { window, offset } of due) window.wasCommitted(offset);
    } catch {
      // The group is rebalancing, or Kafka is away. Kafka redelivers what is not committed, and the claim drops it as
      // stale.
      if (this.windows === windows && !this.stopped) this.commitSoon(commitAgainMs);
    }
  }

  private pause(): void {
    try {
      this.consumer?.pause([{ topic: this.consumption.topic }]);
    } catch {
      // The consumer does not run yet.
    }
  }
}
