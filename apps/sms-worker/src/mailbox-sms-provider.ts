import { catchMessage } from '@app/mailbox';
import { type PrismaClient } from '@app/database';
import { SmsProvider, type Sms } from './sms-provider';

/** Sends nothing: every SMS, copies included, lands where `GET /dev/mailbox` shows it. */
export class MailboxSmsProvider extends SmsProvider {
  constructor(private readonly prisma: PrismaClient) {
    super();
  }

  async send({ tenant, to, text }: Sms, key: string): Promise<string> {
    const { id } = await catchMessage(this.prisma, {
      channel: 'sms',
      tenant,
      recipient: to,
      subject: null,
      text,
      html: null,
      messageId: key,
    });
    return `mailbox-${id}`;
  }
}
