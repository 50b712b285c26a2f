import { createTransport, type Transport, type Transporter } from 'nodemailer';
import { emailDigest, sendEmail } from '@app/features/email';
import { catchMessage } from '@app/mailbox';
import { type PrismaClient } from '@app/database';
import type { Email } from './mailer';
import { refusalOf } from './mailbox-refusals';

/** Below the job's time-out, so that a silent server ends as an error of the attempt that says what was silent. */
const timeOuts = { connectionTimeout: 5_000, greetingTimeout: 5_000, socketTimeout: 15_000 };

/**
 * To a mail server, or, without an address of one, into the mailbox that `GET /dev/mailbox` shows.
 * There is a connection for each handler that may run: an email that had to wait for one would still go out after its
 * attempt had timed out and the next had begun.
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
      const { tenant, to, subject, text, html } = mail.data as Email; // As the mailer has given them.
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
