import { createTransport, type Transport, type Transporter } from 'nodemailer';
import { emailDigest, sendEmail } from '@app/features/email';
import { catchMessage } from '@app/mailbox';
import { type PrismaClient } from '@app/database';
import type { Email } from './mailer';
import { refusalOf } from './mailbox-refusals';

/** Milliseconds, below the job's time-out: a silent server then fails the attempt with an error that names it. */
const timeOuts = { connectionTimeout: 5_000, greetingTimeout: 5_000, socketTimeout: 15_000 };

/**
 * Sends to a mail server, or, when none is configured, into the mailbox that `GET /dev/mailbox` shows. Each handler has
 * its own connection: an email that waits for one could be sent after its attempt had timed out and the next had begun.
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

function mailboxTransport(prisma: PrismaClient): Transport {
  return {
    name: 'mailbox',
    version: '1',
    send: (mail, callback) => {
      const { tenant, to, subject, text, html } = mail.data as Email; // The object that the mailer passed.
      const refusal = refusalOf(to);
      if (refusal) {
        callback(refusal, undefined);
        return;
      }
      const messageId = mail.message.messageId();
      catchMessage(prisma, {
        channel: 'email',
        tenant,
        recipient: to,
        subject,
        text: text ?? '',
        html: html ?? null,
        messageId,
      }).then(
        () => callback(null, { envelope: mail.message.getEnvelope(), messageId }),
        (error: unknown) => callback(error as Error, undefined as never),
      );
    },
  };
}
