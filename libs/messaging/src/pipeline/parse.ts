import { toStorable, type JobDefinition } from '@app/contracts';
import { setAside } from '@app/persistence';
import { isForeign, parseMessage, rawBytes, UnreadableMessageError, type ForeignEvent } from '../port/job-message';
import type { Delivery } from '../port/broker-driver';
import { retryWhileAway } from '../retry-while-away';
import { assertReadable } from '../port/assert-readable';
import { adopt } from './adopt';
import type { PipelineParts, Received } from './parts';
import type { Step } from './steps';

export function parseStep(parts: PipelineParts): Step<Delivery, void, Received, void> {
  const { pool, events, handlers, wakeUp } = parts;

  return async (delivery, next) => {
    let received: Received | undefined;
    try {
      received = await read(delivery);
    } catch (error) {
      if (!(error instanceof UnreadableMessageError)) throw error;
      await keep(delivery, error);
    }
    if (!received) return;
    events.emit('received', received.message);
    await next(received);
  };

  /** @returns undefined for the event of somebody else, which comes back as a job of ours */
  async function read(delivery: Delivery): Promise<Received | undefined> {
    assertReadable(delivery);
    const message = parseMessage(delivery.body);
    const registered = handlers.get(message.kind);
    if (!registered) throw unknownKind(message.kind, isForeign(message) ? message.source : undefined);
    if (!isForeign(message)) return { delivery, message, ...registered };
    await takeIn(registered.definition, message, delivery);
    return undefined;
  }

  async function takeIn(definition: JobDefinition, event: ForeignEvent, delivery: Delivery): Promise<void> {
    if (event.version > definition.version) {
      throw new UnreadableMessageError(
        'newer_version',
        `Expected ${event.kind} in version ${definition.version} or older, got version ${event.version}.`,
        event,
      );
    }
    try {
      const job = await retryWhileAway('adopt', events, () => adopt(pool, definition, event, delivery.broker));
      if (!job.replayed) wakeUp.request();
      events.emit('adopted', job, event.source);
    } catch (error) {
      // Whatever it was, the message is about to be acknowledged, and there is no job that could come back.
      throw new UnreadableMessageError(
        'payload_invalid',
        `Expected the payload of ${event.kind}: ${(error as Error).message}`,
        event,
      );
    }
  }

  function unknownKind(kind: string, source: string | undefined): UnreadableMessageError {
    return new UnreadableMessageError(
      'unknown_kind',
      `Expected one of the kinds served here (${[...handlers.keys()].join(', ')}), got "${kind}".`,
      { kind, ...(source !== undefined && { source }) },
    );
  }

  async function keep(delivery: Delivery, { reason, message: detail, about }: UnreadableMessageError): Promise<void> {
    const { broker, queue, body } = delivery;
    await retryWhileAway('set aside', events, () =>
      setAside(pool, {
        broker,
        queue,
        kind: about.kind && toStorable(about.kind),
        source: about.source && toStorable(about.source),
        reason,
        detail: toStorable(detail),
        raw: rawBytes(body),
      }),
    );
    events.emit('set_aside', delivery, reason, detail);
  }
}
