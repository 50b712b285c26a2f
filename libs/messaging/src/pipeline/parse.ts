import { toStorable } from '@app/contracts';
import { setAside } from '@app/persistence';
import { parseMessage, rawBytes, UnreadableMessageError } from '../port/job-message';
import type { Delivery } from '../port/broker-driver';
import { retryWhileAway } from '../retry-while-away';
import type { PipelineParts, Received } from './parts';
import type { Step } from './steps';

export function parseStep({ pool, events, handlers }: PipelineParts): Step<Delivery, void, Received, void> {
  return async (delivery, next) => {
    let received: Received;
    try {
      received = read(delivery);
    } catch (error) {
      if (!(error instanceof UnreadableMessageError)) throw error;
      const { reason, message: detail, kind } = error;
      const { broker, queue, body } = delivery;
      await retryWhileAway('set aside', events, () =>
        setAside(pool, {
          broker,
          queue,
          kind: kind && toStorable(kind),
          reason,
          detail: toStorable(detail),
          raw: rawBytes(body),
        }),
      );
      events.emit('set_aside', delivery, reason, detail);
      return;
    }
    await next(received);
  };

  function read(delivery: Delivery): Received {
    const message = parseMessage(delivery.body);
    const registered = handlers.get(message.kind);
    if (!registered) {
      const served = [...handlers.keys()].join(', ');
      throw new UnreadableMessageError(
        'unknown_kind',
        `Expected one of the kinds served here (${served}), got "${message.kind}".`,
        message.kind,
      );
    }
    return { delivery, message, ...registered };
  }
}
