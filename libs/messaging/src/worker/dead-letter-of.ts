import { toStorable } from '@app/contracts';
import type { UnreadableMessage } from '@app/ledger';
import type { Delivery } from '../port/broker-driver';
import { rawBytes } from '../port/job-message';

/** A message that this system cannot process, as a dead letter: with its bytes and with what could be read of it. */
export function deadLetterOf(
  { broker, queue, body }: Delivery,
  reason: string,
  detail: string,
  { kind, source }: { readonly kind?: string; readonly source?: string },
): UnreadableMessage {
  return {
    broker,
    queue: toStorable(queue),
    kind: kind && toStorable(kind),
    source: source && toStorable(source),
    reason,
    detail: toStorable(detail),
    raw: rawBytes(body),
  };
}
