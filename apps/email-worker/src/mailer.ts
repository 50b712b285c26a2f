import { Injectable } from '@nestjs/common';
import type { Transporter } from 'nodemailer';

export interface Email {
  /** Whose job sends it. The built-in mailbox keeps it; a mail server does not hear of it. */
  readonly tenant: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string | undefined;
  readonly html: string | undefined;
}

/**
 * nodemailer's codes for a refusal of the envelope or the content. A 5xx at the greeting or the login is about us,
 * not about the email, and passes when somebody has mended it.
 */
const aboutTheEmail = new Set<string | undefined>(['EENVELOPE', 'EMESSAGE']);

/** The mail server has refused this email for good; asking again would get the same answer. */
export class EmailRefused extends Error {}

@Injectable()
export class Mailer {
  constructor(
    private readonly transport: Transporter,
    private readonly from: string,
  ) {}

  /**
   * SMTP knows no idempotency: a worker that dies after the server took the email and before the job was settled
   * sends it once more. Both copies carry one Message-ID, made from the key, by which mail stores and people tell
   * that they are one.
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
