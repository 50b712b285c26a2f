import { v4 as uuidv4, v5 as uuidv5, validate as isUuid } from 'uuid';
import { nextDelayMs, type EventDefinition } from '@app/contracts';
import { abandonEvent, beginEvents, deadLetter, endEvents, recordProcessed } from '@app/ledger';
import { Batcher } from '../batcher';
import { deadLetterOf } from '../dead-letter-of';
import { assertReadable } from '../../port/assert-readable';
import type { Delivery } from '../../port/consumer';
import { messageSource, parseEvent, UnreadableMessageError } from '../../port/job-message';
import { reasonOf } from '../../reason-of';
import { retryUntilDatabaseUp } from '../../retry-until-database-up';
import type { WorkerDependencies } from '../pipeline/steps';
import type { EventOf } from './event-handler';
import type { RegisteredEventHandler } from './event-registry';

/** A namespace (RFC 9562, 6.6) for ids that are derived from the ids of other services. */
const foreignEvents = 'b8f0c2f4-6a55-4a0e-8a0c-6f6f5a1d5c0b';

/**
 * After this many processes have begun an event and none has ended it, the event is dead-lettered: it kills its
 * process.
 */
const mostDeaths = 10;

const transaction = { timeout: 30_000, maxWait: 10_000 };

interface Arrived {
  readonly event: EventOf<EventDefinition>;
  readonly delivery: Delivery;
}

/** What the driver does with the message next. */
export type DeliveryEnd = 'acknowledge' | 'leave unacked';

/**
 * Handles every event of one subscriber. Events that arrive together share a transaction: the rows that skip events
 * handled before, and the handler's own effects.
 *
 * A failed event is retried in place, so that no later event overtakes it. After its last attempt it is dead-lettered.
 * An event that kills its process each time is dead-lettered as well. The database counts the processes that have begun
 * it and not ended it, in the same way for every broker: a broker would count every delivery.
 */
export class EventConsumer {
  private readonly groups: Batcher<Arrived, DeliveryEnd>;
  private readonly processId = uuidv4();
  private readonly subscriber: string;

  constructor(
    private readonly dependencies: Pick<WorkerDependencies, 'pool' | 'transactions' | 'signals' | 'drain'>,
    readonly registered: RegisteredEventHandler,
  ) {
    const { subscriber, together = 200 } = registered.subscription;
    this.subscriber = subscriber;
    // The batcher handles one group at a time, so the handler gets the events in the order of the broker.
    this.groups = new Batcher((group) => this.handleGroup(group), { groupSize: together });
  }

  /**
   * Handles one delivery. An unreadable event is dead-lettered and acknowledged.
   * @returns what the driver does with the message
   * @throws the error of a database statement that a retry cannot help
   */
  async consume(delivery: Delivery): Promise<DeliveryEnd> {
    try {
      assertReadable(delivery);
      return await this.groups.add({ event: this.read(delivery), delivery });
    } catch (error) {
      if (!(error instanceof UnreadableMessageError)) throw error;
      return this.deadLetterDelivery(delivery, error.reason, error.message, error.about);
    }
  }

  private read({ body }: Delivery): EventOf<EventDefinition> {
    const definition = this.registered.subscription.event;
    const { id, source, kind, version, tenant, subject, time, traceparent, data } = parseEvent(body);
    const unreadable = (reason: UnreadableMessageError['reason'], detail: string) =>
      new UnreadableMessageError(reason, detail, { kind, source });
    if (kind !== definition.kind) throw unreadable('unknown_kind', `Expected ${definition.kind}, got "${kind}".`);
    if (version > definition.version) {
      const expected = `Expected ${kind} in version ${definition.version} or older, got version ${version}.`;
      throw unreadable('newer_version', expected);
    }
    const parsed = definition.data.safeParse(data);
    if (!parsed.success) throw unreadable('payload_invalid', `Expected the data of ${kind}: ${parsed.error.message}`);
    const at = time === undefined ? undefined : new Date(time);
    return {
      id: source === messageSource && isUuid(id) ? id : uuidv5(JSON.stringify([source, id, tenant]), foreignEvents),
      kind,
      tenant,
      key: subject,
      at: at && !Number.isNaN(at.getTime()) ? at : undefined,
      traceparent,
      data: parsed.data,
    };
  }

  /** @throws for a group of several events that must be handled one by one: the batcher then does so */
  private async handleGroup(group: readonly Arrived[]): Promise<DeliveryEnd[]> {
    const [first, ...others] = group;
    if (others.length === 0) return [await this.handleOne(first!)];
    const events = group.map(({ event }) => event);
    if ((await this.begin(events)) > 0) throw new Error('Another process has begun one of these events.');
    await this.inOneTransaction(events);
    return group.map(() => 'acknowledge');
  }

  private async handleOne({ event, delivery }: Arrived): Promise<DeliveryEnd> {
    const { drain, signals } = this.dependencies;
    const { retry } = this.registered.subscription.event;
    for (let attempt = 1; ; attempt += 1) {
      const deaths = await this.begin([event]);
      if (deaths >= mostDeaths) {
        const detail = `${deaths} processes have begun to handle this event, and each of them died.`;
        return this.giveUp(event, delivery, 'killed_its_process', detail);
      }
      try {
        await this.inOneTransaction([event]);
        return 'acknowledge';
      } catch (error) {
        const reason = reasonOf(error);
        if (attempt >= retry.attempts) {
          const detail = `Attempt ${attempt} of ${retry.attempts}: ${reason}`;
          return this.giveUp(event, delivery, 'attempts_exhausted', detail);
        }
        await this.abandon(event, this.processId);
        const afterMs = nextDelayMs(retry, attempt);
        signals.emit('event_failed', event.kind, this.subscriber, event.id, error, afterMs);
        await drain.sleep(afterMs);
        if (drain.hasBegun) return 'leave unacked';
      }
    }
  }

  /** @returns the highest number of other processes that have begun one of the events and not ended it */
  private async begin(group: readonly EventOf<EventDefinition>[]): Promise<number> {
    const ids = [...new Set(group.map(({ id }) => id))];
    const unfinished = await this.retry(() =>
      beginEvents(this.dependencies.pool, this.subscriber, ids, this.processId),
    );
    return Math.max(0, ...unfinished.values());
  }

  private async abandon({ id }: EventOf<EventDefinition>, processId: string | undefined): Promise<void> {
    const { pool } = this.dependencies;
    await this.retry(() => abandonEvent.run(pool, { subscriber: this.subscriber, id, processId }));
  }

  private async giveUp(
    event: EventOf<EventDefinition>,
    delivery: Delivery,
    reason: string,
    detail: string,
  ): Promise<DeliveryEnd> {
    const taken = await this.deadLetterDelivery(delivery, reason, detail, { kind: event.kind });
    await this.abandon(event, undefined);
    return taken;
  }

  private async inOneTransaction(group: readonly EventOf<EventDefinition>[]): Promise<void> {
    const { transactions, signals } = this.dependencies;
    const { fresh, afterCommit } = await this.retry(() =>
      transactions.$transaction(async (tx) => {
        const ids = [...new Set(group.map(({ id }) => id))];
        const unseen = await recordProcessed(tx, this.subscriber, ids);
        // When one group holds the same event twice, only the first is handled.
        const first = group.filter(({ id }) => unseen.delete(id));
        const tell = first.length > 0 ? await this.registered.handler.handle(first, tx) : undefined;
        await endEvents(tx, this.subscriber, ids);
        return { fresh: first.length, afterCommit: tell };
      }, transaction),
    );
    afterCommit?.();
    signals.emit('events_handled', this.registered.subscription.event.kind, this.subscriber, fresh, group.length);
  }

  private retry<Result>(statement: () => Promise<Result>): Promise<Result> {
    return retryUntilDatabaseUp(`events for ${this.subscriber}`, this.dependencies.signals, statement);
  }

  private async deadLetterDelivery(
    delivery: Delivery,
    reason: string,
    detail: string,
    about: { kind?: string; source?: string },
  ): Promise<DeliveryEnd> {
    const { pool, signals } = this.dependencies;
    const letter = deadLetterOf(delivery, reason, detail, about);
    await retryUntilDatabaseUp('dead-letter', signals, () => deadLetter.run(pool, letter));
    signals.emit('dead_lettered', delivery, reason, detail);
    return 'acknowledge';
  }
}
