import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { PrismaClient, readMailbox } from '@app/persistence';
import { AnyKey } from '../access';
import { isUuid } from '../http/is-uuid';

const newest = 100;

@ApiTags('development')
@AnyKey()
@Controller('dev/mailbox')
export class MailboxController {
  constructor(private readonly prisma: PrismaClient) {}

  @Get()
  @ApiOperation({ summary: `The ${newest} newest emails and SMS that the built-in catcher took, copies included` })
  async list(): Promise<object> {
    const messages = await readMailbox(this.prisma, newest);
    return {
      items: messages.map(({ channel, recipient, subject, text, html, messageId, at }) => ({
        channel,
        to: recipient,
        ...(subject !== null && { subject }),
        text,
        ...(html !== null && { html }),
        messageId,
        jobId: jobIdOf(messageId),
        at: at.toISOString(),
      })),
    };
  }
}

/** A message id is the effect key, which is the id of the job; an email has a host behind it (RFC 5322). */
function jobIdOf(messageId: string): string | null {
  const [key = ''] = messageId.replace(/^</, '').split('@');
  return isUuid(key) ? key : null;
}
