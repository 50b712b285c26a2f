import { catchMessage } from '@app/mailbox';
import { type PrismaClient } from '@app/database';
import { SmsProvider, type Sms } from './sms-provider';

/** Sends nothing: stores every SMS, copies included, in the mailbox that `GET /dev/mailbox` shows. */
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
