import type { Delivery } from './consumer';
import { isForeign, parseMessage, UnreadableMessageError } from './job-message';

/**
 * @throws UnreadableMessageError for a message that the broker no longer delivers, or that its client library could not
 *   read
 */
export function assertReadable({ body, givenUp, unreadable }: Delivery): void {
  if (unreadable !== undefined) throw new UnreadableMessageError('unreadable_record', unreadable);
  if (givenUp === undefined) return;
  const next = isOurJob(body)
    ? 'Its job is in the ledger, which dispatches the job again while it is queued.'
    : 'No process sends it again: its bytes are kept here.';
  throw new UnreadableMessageError('given_up', `The broker has given up on this message (${givenUp}). ${next}`);
}

/** Whether the body is a dispatch of one of our jobs: then the ledger has the job. */
function isOurJob(body: unknown): boolean {
  try {
    return !isForeign(parseMessage(body));
  } catch {
    return false;
  }
}
