import type { JobDefinition } from '@app/contracts';
import { enqueue, jsonFault, deadLetter, type NewJob } from '@app/ledger';
import { isForeign, parseMessage, UnreadableMessageError, type ForeignEvent } from '../../port/job-message';
import type { Delivery } from '../../port/broker-driver';
import { reasonOf } from '../../reason-of';
import { retryWithBackOff } from '../../retry-until-database-up';
import { assertReadable } from '../../port/assert-readable';
import { deadLetterOf } from '../dead-letter-of';
import { newJobOfForeignEvent } from './foreign-event';
import type { WorkerDependencies, Received } from './worker-dependencies';
import { PayloadRefused } from './payload';
import type { Step } from './steps';

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
    let received: Received | undefined;
    try {
      received = await read(delivery);
    } catch (error) {
      if (error instanceof LeftUnacked) throw error;
      await deadLetterDelivery(delivery, error instanceof UnreadableMessageError ? error : intakeFailed(error));
    }
    if (!received) return;
    signals.emit('received', received.message);
    await next(received);
  };

  /** @returns undefined for the event of another service: its job is published later as a message of ours */
  async function read(delivery: Delivery): Promise<Received | undefined> {
    assertReadable(delivery);
    const message = parseMessage(delivery.body);
    const registered = handlers.get(message.kind);
    if (!registered) throw unknownKind(message.kind, isForeign(message) ? message.source : undefined);
    if (!isForeign(message)) return { delivery, message, ...registered };
    await enqueueForeignEvent(registered.definition, message, delivery);
    return undefined;
  }

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
    const asked = newJob(definition, event, delivery);
    const job = await written('adopt', () =>
      enqueue(pool, asked).catch(async (error: unknown) => {
        const fault = await jsonFault(pool, asked.payload);
        throw fault === undefined ? error : payloadInvalid(event, fault);
      }),
    );
    if (!job.replayed) wakeUp.request();
    signals.emit('foreign_event_enqueued', job, event.source);
  }

  function newJob(definition: JobDefinition, event: ForeignEvent, { broker }: Delivery): NewJob {
    try {
      return newJobOfForeignEvent(definition, event, broker);
    } catch (error) {
      throw error instanceof PayloadRefused ? payloadInvalid(event, error.message) : intakeFailed(error, event);
    }
  }

  /** Retries every error, because the broker has the only copy. @throws LeftUnacked when the process drains */
  async function written<Result>(what: string, statement: () => Promise<Result>): Promise<Result> {
    const check = (error: unknown): void => {
      if (error instanceof UnreadableMessageError) throw error;
      if (drain.hasBegun) throw new LeftUnacked(`${what}: ${reasonOf(error)}`);
    };
    return retryWithBackOff(what, signals, statement, check, (ms) => drain.sleep(ms));
  }

  function unknownKind(kind: string, source: string | undefined): UnreadableMessageError {
    return new UnreadableMessageError(
      'unknown_kind',
      `Expected one of the kinds served here (${[...handlers.keys()].join(', ')}), got "${kind}".`,
      { kind, ...(source !== undefined && { source }) },
    );
  }

  async function deadLetterDelivery(delivery: Delivery, error: UnreadableMessageError): Promise<void> {
    const { reason, message: detail, about } = error;
    await written('dead-letter', () => deadLetter(pool, deadLetterOf(delivery, reason, detail, about)));
    signals.emit('dead_lettered', delivery, reason, detail);
  }
}

function payloadInvalid(event: ForeignEvent, fault: string): UnreadableMessageError {
  return new UnreadableMessageError('payload_invalid', `Expected the payload of ${event.kind}: ${fault}`, event);
}

/** A retry would fail in the same way. */
function intakeFailed(error: unknown, about: UnreadableMessageError['about'] = {}): UnreadableMessageError {
  const detail = `This system failed on the message, which may be valid: ${reasonOf(error)}`;
  return new UnreadableMessageError('intake_failed', detail, about);
}
