import type { JobDefinition } from '@app/contracts';
import { deadLetter, enqueue, jsonFault } from '@app/ledger';
import {
  isForeign,
  parseMessage,
  UnreadableMessageError,
  type ForeignEvent,
  type ParsedMessage,
} from '../../port/job-message';
import type { Delivery } from '../../port/consumer';
import { reasonOf } from '../../reason-of';
import { retryUntilDatabaseUp } from '../../retry-until-database-up';
import { assertReadable } from '../../port/assert-readable';
import { deadLetterOf } from '../dead-letter-of';
import { newJobOfForeignEvent } from './foreign-event';
import { PayloadRefused } from './payload';
import type { Received, Step, WorkerDependencies } from './steps';

/**
 * Thrown when the process ends before a message could be stored as a job or a dead letter. The broker has the only
 * copy. So the message is not acknowledged, and the broker redelivers it to another process.
 */
export class LeftUnacked extends Error {}

/**
 * Parses the delivery. An unreadable message is dead-lettered, and the event of another service becomes a job; both end
 * here.
 * @throws LeftUnacked
 */
export function parseStep(dependencies: WorkerDependencies): Step<Delivery, void, Received, void> {
  const { pool, signals, handlers, wakeUp, drain } = dependencies;

  return async (delivery, next) => {
    let received: Received;
    let event: ForeignEvent | undefined;
    try {
      assertReadable(delivery);
      const message = parseMessage(delivery.body);
      const registered = handlers.get(message.kind);
      if (!registered) throw unknownKind(message);
      if (isForeign(message)) {
        event = message;
        await enqueueForeignEvent(registered.definition, event, delivery);
        return;
      }
      received = { delivery, message, ...registered };
    } catch (error) {
      if (error instanceof LeftUnacked) throw error;
      return deadLetterDelivery(delivery, toUnreadable(error, event));
    }
    signals.emit('received', received.message);
    await next(received);
  };

  /** The relay publishes its job later, as a message of ours. */
  async function enqueueForeignEvent(
    definition: JobDefinition,
    event: ForeignEvent,
    delivery: Delivery,
  ): Promise<void> {
    if (event.version > definition.version) {
      throw new UnreadableMessageError(
        'newer_version',
        `Expected ${event.kind} in version ${definition.version} or older, got version ${event.version}.`,
        event,
      );
    }
    const asked = newJobOfForeignEvent(definition, event, delivery.broker);
    const job = await written('adopt', () =>
      enqueue(pool, asked).catch(async (error: unknown) => {
        const fault = await jsonFault(pool, asked.payload);
        throw fault === undefined ? error : new PayloadRefused(fault);
      }),
    );
    if (!job.replayed) wakeUp.request();
    signals.emit('foreign_event_enqueued', job, event.source);
  }

  /**
   * Retries every error of the database, because the broker has the only copy.
   * @throws PayloadRefused; LeftUnacked when the process drains
   */
  async function written<Result>(what: string, statement: () => Promise<Result>): Promise<Result> {
    const check = (error: unknown): void => {
      if (error instanceof PayloadRefused) throw error;
      if (drain.hasBegun) throw new LeftUnacked(`${what}: ${reasonOf(error)}`);
    };
    return retryUntilDatabaseUp(what, signals, statement, check, (ms) => drain.sleep(ms));
  }

  function unknownKind(message: ParsedMessage | ForeignEvent): UnreadableMessageError {
    const { kind } = message;
    return new UnreadableMessageError(
      'unknown_kind',
      `Expected one of the kinds served here (${[...handlers.keys()].join(', ')}), got "${kind}".`,
      isForeign(message) ? { kind, source: message.source } : { kind },
    );
  }

  async function deadLetterDelivery(delivery: Delivery, error: UnreadableMessageError): Promise<void> {
    const { reason, message: detail, about } = error;
    await written('dead-letter', () => deadLetter.run(pool, deadLetterOf(delivery, reason, detail, about)));
    signals.emit('dead_lettered', delivery, reason, detail);
  }
}

/**
 * Says why a message becomes a dead letter: a retry would fail in the same way.
 * @param event the message, when it is an event of another service
 */
function toUnreadable(error: unknown, event: ForeignEvent | undefined): UnreadableMessageError {
  if (error instanceof UnreadableMessageError) return error;
  if (event && error instanceof PayloadRefused) {
    return new UnreadableMessageError(
      'payload_invalid',
      `Expected the payload of ${event.kind}: ${error.message}`,
      event,
    );
  }
  const detail = `This system failed on the message, which may be valid: ${reasonOf(error)}`;
  return new UnreadableMessageError('intake_failed', detail, event ?? {});
}
