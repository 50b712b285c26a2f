import { Controller, Get, Param, Req } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { Pool } from 'pg';
import { z } from 'zod';
import { systemTenant } from '@app/contracts';
import { PrismaClient, type MailboxMessage } from '@app/database';
import { readMailbox, shownLetterCharacters, type ListedLetter } from '@app/mailbox';
import { AnyKey, identityOf, mayBe, isUuid, Problem, quoted, toOpenApi, ProblemResponse } from '@app/http';

const newest = 100;

const letterView = z.object({
  channel: z.enum(['email', 'sms']),
  to: z.string(),
  subject: z.string().optional(),
  text: z.string(),
  html: z.string().optional(),
  messageId: z.string(),
  jobId: z.uuid().nullable().describe('of the job that sent it'),
  at: z.iso.datetime(),
});

const cut = `in a list its first ${shownLetterCharacters} characters; GET /dev/mailbox/{id} has all`;

const listedLetter = letterView.extend({
  text: z.string().describe(cut),
  html: z.string().optional().describe(cut),
  id: z.string().optional().describe('set if the text or the HTML was cut'),
  textBytes: z.int().optional().describe('the size of the whole text, if the text or the HTML was cut'),
  htmlBytes: z.int().optional().describe('the size of the whole HTML, if the text or the HTML was cut'),
});

const mailbox = z.object({ items: z.array(listedLetter) });

@ApiTags('development')
@AnyKey()
@Controller('dev/mailbox')
export class MailboxController {
  constructor(
    private readonly pool: Pool,
    private readonly prisma: PrismaClient,
  ) {}

  @Get()
  @ApiOperation({
    summary: `The ${newest} newest emails and SMS of the tenant that the built-in catcher received, copies included`,
    description: 'The roles viewer, operator and admin also see what the system itself sends.',
  })
  @ApiResponse({ status: 200, description: 'The letters, newest first.', schema: toOpenApi(mailbox) })
  async list(@Req() request: Request): Promise<z.output<typeof mailbox>> {
    const letters = await readMailbox(this.pool, tenantsOf(request), newest);
    return {
      items: letters.map((letter) => ({
        ...viewOf(letter),
        ...(isCut(letter) && {
          id: String(letter.id),
          textBytes: letter.textBytes,
          htmlBytes: letter.htmlBytes ?? undefined, // JSON.stringify leaves undefined out.
        }),
      })),
    };
  }

  @Get(':id')
  @ApiOperation({ summary: 'One caught email or SMS, whole' })
  @ApiResponse({ status: 200, description: 'The letter.', schema: toOpenApi(letterView) })
  @ProblemResponse(404, 'There is no such letter.')
  async read(@Param('id') id: string, @Req() request: Request): Promise<z.output<typeof letterView>> {
    const letter = /^\d{1,18}$/.test(id)
      ? await this.prisma.mailboxMessage.findFirst({ where: { id: BigInt(id), tenant: { in: tenantsOf(request) } } })
      : null;
    if (letter) return viewOf(letter);
    const detail = `No letter of yours has the id ${quoted(id)}.`;
    throw new Problem(404, 'letter_not_found', 'There is no such letter', detail);
  }
}

function isCut({ text, textBytes, html, htmlBytes }: ListedLetter): boolean {
  return Buffer.byteLength(text) < textBytes || Buffer.byteLength(html ?? '') < (htmlBytes ?? 0);
}

function tenantsOf(request: Request): string[] {
  const identity = identityOf(request);
  return mayBe(identity, ['viewer']) ? [identity.tenant, systemTenant] : [identity.tenant];
}

function viewOf(letter: MailboxMessage): z.output<typeof letterView> {
  const { channel, recipient, subject, text, html, messageId, at } = letter;
  return {
    channel: channel as 'email' | 'sms',
    to: recipient,
    subject: subject ?? undefined,
    text,
    html: html ?? undefined,
    messageId,
    jobId: jobIdOf(messageId),
    at: at.toISOString(),
  };
}

/**
 * Reads the job's id from a Message-ID: the effect key, which is the id of the job. An email adds a host (RFC 5322).
 */
function jobIdOf(messageId: string): string | null {
  const [key = ''] = messageId.replace(/^</, '').split('@');
  return isUuid(key) ? key : null;
}
