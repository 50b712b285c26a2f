import type { Pool } from 'pg';
import { v5 as uuidv5, validate as isUuid } from 'uuid';
import { nextDelayMs, toStorable, type EventDefinition } from '@app/contracts';
import { recordProcessedEvents, setAside, type PrismaClient } from '@app/persistence';
import { Collector } from '../collector';
import type { Drain } from '../drain';
import type { MessagingEvents } from '../messaging-events';
import type { Delivery } from '../port/broker-driver';
import { messageSource, parseEvent, rawBytes, UnreadableMessageError } from '../port/job-message';
import { retryWhileAway } from '../retry-while-away';
import type { EventOf } from './event-handler';
import type { RegisteredEventHandler } from './event-registry';

/** RFC 9562, 6.6: a namespace of our own for what others call by names of theirs. */
const foreignEvents = 'b8f0c2f4-6a55-4a0e-8a0c-6f6f5a1d5c0b';

/** One group at a time: the order of the broker is the order of the handler. */
const groups = { windowMs: 2, groupSize: 200, inFlight: 1 };
const transaction = { timeout: 30_000, maxWait: 10_000 };

export interface EventIntakeParts {
  readonly pool: Pool;
  readonly prisma: PrismaClient;
  readonly events: MessagingEvents;
  readonly drain: Drain;
}

interface Arrived {
  readonly event: EventOf<EventDefinition>;
  readonly delivery: Delivery;
}

/** What the driver does with the message next. */
export type Taken = 'acknowledge' | 'leave to another';

/**
 * The way of every event to one subscriber. Events that come together share a transaction: their rows in the dedupe
 * table, which keep out those that were here before, and the handler's own effects.
 *
 * One that fails is tried again where it stands, so that none overtakes it; after its last attempt it is set aside.
 */
export class EventIntake {
  private readonly groups: Collector<Arrived, Taken>;

  constructor(
    private readonly parts: EventIntakeParts,
    private readonly registered: RegisteredEventHandler,
  ) {
    const { together = groups.groupSize } = registered.subscription;
    this.groups = new Collector((group) => this.handleGroup(group), { ...groups, groupSize: together });
  }

  async take(delivery: Delivery): Promise<Taken> {
    try {
      if (delivery.givenUp !== undefined) throw new UnreadableMessageError('given_up', givenUpDetail(delivery.givenUp));
      return await this.groups.add({ event: this.read(delivery), delivery });
    } catch (error) {
      if (!(error instanceof UnreadableMessageError)) throw error;
      return this.keep(delivery, error.reason, error.message, error.about);
    }
  }

  private read({ body }: Delivery): EventOf<EventDefinition> {
    const definition = this.registered.subscription.event;
    const { id, source, kind, version, tenant, subject, time, traceparent, data } = parseEvent(body);
    const about = { kind, source };
    if (kind !== definition.kind) {
      throw new UnreadableMessageError('unknown_kind', `Expected ${definition.kind}, got "${kind}".`, about);
    }
    if (version > definition.version) {
      const expected = `Expected ${kind} in version ${definition.version} or older, got version ${version}.`;
      throw new UnreadableMessageError('newer_version', expected, about);
    }
    const parsed = definition.data.safeParse(data);
    if (!parsed.success) {
      throw new UnreadableMessageError(
        'payload_invalid',
        `Expected the data of ${kind}: ${parsed.error.message}`,
        about,
      );
    }
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

  /** @throws the handler's error for a group of several, of which each is then tried by itself */
  private async handleGroup(group: readonly Arrived[]): Promise<Taken[]> {
    const [first, ...others] = group;
    if (others.length === 0) return [await this.handleOne(first!)];
    await this.inOneTransaction(group.map(({ event }) => event));
    return group.map(() => 'acknowledge');
  }

  private async handleOne({ event, delivery }: Arrived): Promise<Taken> {
    const { drain, events } = this.parts;
    const { retry } = this.registered.subscription.event;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.inOneTransaction([event]);
        return 'acknowledge';
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (attempt >= retry.attempts) {
          const detail = `Attempt ${attempt} of ${retry.attempts}: ${reason}`;
          return this.keep(delivery, 'attempts_exhausted', detail, { kind: event.kind });
        }
        const afterMs = nextDelayMs(retry, attempt);
        events.emit('event_failed', event.kind, this.subscriber, event.id, error, afterMs);
        await drain.sleep(afterMs);
        if (drain.hasBegun) return 'leave to another';
      }
    }
  }

  private async inOneTransaction(group: readonly EventOf<EventDefinition>[]): Promise<void> {
    const { prisma, events } = this.parts;
    const { fresh, afterCommit } = await retryWhileAway(`events for ${this.subscriber}`, events, () =>
      prisma.$transaction(async (tx) => {
        const unseen = await recordProcessedEvents(tx, this.subscriber, [...new Set(group.map(({ id }) => id))]);
        // The same event twice in one group: only the first has it.
        const first = group.filter(({ id }) => unseen.delete(id));
        const tell = first.length > 0 ? await this.registered.handler.handle(first, tx) : undefined;
        return { fresh: first.length, afterCommit: tell };
      }, transaction),
    );
    afterCommit?.();
    events.emit('events_handled', this.registered.subscription.event.kind, this.subscriber, fresh, group.length);
  }

  private async keep(
    delivery: Delivery,
    reason: string,
    detail: string,
    about: { kind?: string; source?: string },
  ): Promise<Taken> {
    const { pool, events } = this.parts;
    await retryWhileAway('set aside', events, () =>
      setAside(pool, {
        broker: delivery.broker,
        queue: delivery.queue,
        kind: about.kind && toStorable(about.kind),
        source: about.source && toStorable(about.source),
        reason,
        detail: toStorable(detail),
        raw: rawBytes(delivery.body),
      }),
    );
    events.emit('set_aside', delivery, reason, detail);
    return 'acknowledge';
  }

  private get subscriber(): string {
    return this.registered.subscription.subscriber;
  }
}

export function givenUpDetail(reason: string): string {
  return `The broker has given this message up (${reason}): whoever took it died with it, each time. Its job is dispatched again.`;
}
