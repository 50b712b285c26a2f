import { Controller, Get, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { systemTenant } from '@app/contracts';
import { PrismaClient, readMailbox } from '@app/persistence';
import { AnyKey, identityOf, mayBe } from '../access';
import { isUuid } from '../http/is-uuid';

const newest = 100;

@ApiTags('development')
@AnyKey()
@Controller('dev/mailbox')
export class MailboxController {
  constructor(private readonly prisma: PrismaClient) {}

  @Get()
  @ApiOperation({
    summary: `The ${newest} newest emails and SMS of the tenant that the built-in catcher took, copies included`,
    description: 'Those who run the system (viewer, operator, admin) also see what the system itself sends.',
  })
  async list(@Req() request: Request): Promise<object> {
    const identity = identityOf(request);
    const tenants = mayBe(identity, ['viewer']) ? [identity.tenant, systemTenant] : [identity.tenant];
    const messages = await readMailbox(this.prisma, tenants, newest);
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
