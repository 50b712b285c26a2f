import { toStorable } from '@app/contracts';
import type { UnreadableMessage } from '@app/ledger';
import type { Delivery } from '../port/consumer';
import { rawBytes } from '../port/job-message';

/**
 * The dead letter for a message that this system cannot process. It keeps the first 1 MiB of the message, and its kind
 * and source if they could be read.
 */
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
