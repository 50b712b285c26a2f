import { createTransport, type Transport, type Transporter } from 'nodemailer';
import { emailDigest, sendEmail } from '@app/features/email';
import { type PrismaClient } from '@app/database';
import type { Email } from './mailer';

/** Milliseconds, below the job's time-out: a silent server then fails the attempt with an error that names it. */
const timeOuts = { connectionTimeout: 5_000, greetingTimeout: 5_000, socketTimeout: 15_000 };

/**
 * Sends to a mail server, or, when none is configured, into the mailbox that `GET /dev/mailbox` shows. There are as many
 * connections as handlers can run at once: an email that waited for a connection could be sent after its attempt had
 * timed out and the next one had begun.
 */
export function createMailTransport(smtpUrl: string | undefined, prisma: PrismaClient): Transporter {
  if (smtpUrl === undefined) return createTransport(mailboxTransport(prisma));
  return createTransport({
    url: smtpUrl,
    pool: true,
    maxConnections: sendEmail.concurrency + emailDigest.concurrency,
    maxMessages: Infinity,
    ...timeOuts,
  });
}

/**
 * Stores every copy, unchanged. It refuses only what no mail server could deliver: no address at `.invalid` exists (RFC
 * 6761, 6.4). It refuses `busy@…` temporarily, so that one can watch failing attempts and, after the last one, the dead
 * letter.
 */
function mailboxTransport(prisma: PrismaClient): Transport {
  return {
    name: 'mailbox',
    version: '1',
    send: (mail, callback) => {
      const { tenant, to, subject, text, html } = mail.data as Email; // The object that the mailer passed.
      if (to.toLowerCase().endsWith('.invalid')) {
        callback(refusalOf(to), undefined);
        return;
      }
      const messageId = mail.message.messageId();
      const data = {
        channel: 'email',
        tenant,
        recipient: to,
        subject,
        text: text ?? '',
        html: html ?? null,
        messageId,
      };
      prisma.mailboxMessage.create({ data }).then(
        () => callback(null, { envelope: mail.message.getEnvelope(), messageId }),
        (error: unknown) => callback(error as Error, undefined as never),
      );
    },
  };
}

/** A mail server's reply, as nodemailer reports it. */
function refusalOf(to: string): Error {
  const [responseCode, text] = to.toLowerCase().startsWith('busy@')
    ? [451, '4.2.1 The mailbox is busy; try again later']
    : [550, '5.1.2 No mail server is at .invalid'];
  return Object.assign(new Error(`${responseCode} ${text}`), { code: 'EENVELOPE', responseCode });
}
