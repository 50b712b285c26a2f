/** A mail server's reply, as nodemailer hands it on. */
interface EnvelopeRefused extends Error {
  readonly code: 'EENVELOPE';
  readonly responseCode: number;
}

/**
 * The mailbox takes everything but what no mail server could: nobody has an address at `.invalid` (RFC 6761, 6.4).
 * `busy@…` is told to come back later, so that one can watch attempts fail and, at the last, a dead letter come of it.
 */
export function refusalOf(to: string): EnvelopeRefused | undefined {
  if (!to.toLowerCase().endsWith('.invalid')) return undefined;
  return to.toLowerCase().startsWith('busy@')
    ? refused(451, '4.2.1 The mailbox is busy; try again later')
    : refused(550, '5.1.2 No mail server is at .invalid');
}

function refused(responseCode: number, message: string): EnvelopeRefused {
  return Object.assign(new Error(`${responseCode} ${message}`), { code: 'EENVELOPE' as const, responseCode });
}
