import { Injectable } from '@nestjs/common';
import type { Transporter } from 'nodemailer';

export interface Email {
  /** The tenant of the job. The built-in mailbox stores it; a mail server does not get it. */
  readonly tenant: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string | undefined;
  readonly html: string | undefined;
}

/**
 * nodemailer's codes for a refusal of the envelope or the content. A 5xx at the greeting or the login concerns our
 * configuration, not the email, and may pass once that is fixed.
 */
const aboutTheEmail = new Set<string | undefined>(['EENVELOPE', 'EMESSAGE']);

/** The mail server has refused this email for good. A retry would get the same answer. */
export class EmailRefused extends Error {}

@Injectable()
export class Mailer {
  constructor(
    private readonly transport: Transporter,
    private readonly from: string,
  ) {}

  /**
   * Sends an email. SMTP has no idempotency key: a worker that dies after the server has accepted the email and before
   * the job is settled causes a second copy. Both copies have one Message-ID, derived from the key, by which mail
   * stores and people recognise them.
   * @param key the same for every attempt of a job
   * @throws EmailRefused for a permanent reply (RFC 5321, 4.2.1: 5yz); any other error may pass
   */
  async send(email: Email, key: string): Promise<{ messageId: string }> {
    const messageId = `<${key}@${this.from.split('@')[1]}>`;
    try {
      await this.transport.sendMail({ ...email, from: this.from, messageId });
    } catch (error) {
      const { code, responseCode, message } = error as Error & { code?: string; responseCode?: number };
      if (aboutTheEmail.has(code) && responseCode !== undefined && responseCode >= 500) throw new EmailRefused(message);
      throw error;
    }
    return { messageId };
  }
}
