/** A mail server's reply, as nodemailer reports it. */
interface EnvelopeRefused extends Error {
  readonly code: 'EENVELOPE';
  readonly responseCode: number;
}

/**
 * The mailbox accepts everything but what no mail server could deliver: no address at `.invalid` exists (RFC 6761,
 * 6.4). It refuses `busy@…` temporarily, so that one can watch failing attempts and, after the last one, the dead
 * letter.
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
