import { type PrismaClient } from '@app/database';
import { SmsProvider, type Sms } from './sms-provider';

/** Sends nothing: stores every SMS, copies included, in the mailbox that `GET /dev/mailbox` shows. */
export class MailboxSmsProvider extends SmsProvider {
  constructor(private readonly prisma: PrismaClient) {
    super();
  }

  async send({ tenant, to, text }: Sms, key: string): Promise<string> {
    const data = { channel: 'sms', tenant, recipient: to, text, messageId: key };
    const { id } = await this.prisma.mailboxMessage.create({ data });
    return `mailbox-${id}`;
  }
}
