import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Pool } from 'pg';
import { z } from 'zod';
import { requestableBrokers, storableText } from '@app/contracts';
import { listDeadLetters, readDeadLetterRaw, shownRawBytes, type DeadLetter } from '@app/ledger';
import {
  Roles,
  CallerOf,
  type Caller,
  isUuid,
  nameOf,
  parseBody,
  parseQuery,
  Problem,
  toOpenApi,
  ProblemResponse,
} from '@app/http';
import { Redriver } from './redriver';

const kind = storableText.max(100);
const moment = z.iso.datetime({ offset: true });

const listQuery = z.strictObject({
  kind: kind.optional(),
  broker: z.enum(requestableBrokers).optional(),
  redriven: z.enum(['true', 'false']).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.uuid().optional(),
});

const deadLetterView = z.object({
  id: z.uuid(),
  at: moment,
  broker: z.string(),
  queue: z.string(),
  kind: z.string().nullable(),
  jobId: z.uuid().nullable().describe('null for a message that could not be read; `raw` has its bytes'),
  tenant: z.string().nullable(),
  reason: z.string().describe('a stable code'),
  detail: z.string(),
  source: z.string().nullable().describe('the sender of the message, if it could be read'),
  raw: z
    .string()
    .nullable()
    .describe(`the first ${shownRawBytes} bytes of the message, in base64; GET /v1/dead-letters/{id}/raw has all`),
  rawBytes: z.int().nullable().describe('how many bytes of the message are kept, 1 MiB at most'),
  redrivenAt: moment.nullable(),
  redrivenBy: z.string().nullable(),
});

const page = z.object({ items: z.array(deadLetterView), nextCursor: z.string().nullable() });

const redriveBody = z
  .strictObject({
    ids: z.array(z.uuid()).min(1).max(1_000).optional().describe('of dead letters, or of their jobs'),
    filter: z
      .strictObject({ kind: kind.optional(), broker: z.enum(requestableBrokers).optional(), before: moment.optional() })
      .optional()
      .describe('all dead letters that match, of every tenant; an empty filter matches all'),
  })
  .refine(({ ids, filter }) => (ids === undefined) !== (filter === undefined), {
    path: ['ids'],
    error: 'expected either ids or filter',
  });

const redriveView = z.object({
  redriven: z.array(z.object({ id: z.uuid(), jobId: z.uuid() })),
  refused: z.array(z.object({ id: z.uuid(), code: z.string(), message: z.string() })),
});

@ApiTags('operations')
@Roles('viewer')
@Controller('v1/dead-letters')
export class DeadLettersController {
  constructor(
    private readonly pool: Pool,
    private readonly redriver: Redriver,
  ) {}

  @Get()
  @ApiOperation({ summary: 'List dead letters, newest first: failed jobs, and messages that could not be read' })
  @ApiQuery({ name: 'kind', required: false })
  @ApiQuery({ name: 'broker', required: false, enum: requestableBrokers })
  @ApiQuery({
    name: 'redriven',
    required: false,
    enum: ['true', 'false'],
    description: 'false: only dead letters that were not redriven; true: only those that were',
  })
  @ApiQuery({ name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 } })
  @ApiQuery({ name: 'cursor', required: false, description: '`nextCursor` of the previous page' })
  @ApiResponse({ status: 200, description: 'A page of dead letters.', schema: toOpenApi(page) })
  @ProblemResponse(400, 'A query parameter is invalid.')
  async list(@Query() rawQuery: unknown): Promise<z.output<typeof page>> {
    const { cursor, limit, ...query } = parseQuery(listQuery, rawQuery);
    const found = await listDeadLetters.run(this.pool, {
      kind: query.kind,
      broker: query.broker,
      isRedriven: query.redriven === undefined ? undefined : query.redriven === 'true',
      before: cursor,
      limit: limit + 1,
    });
    const items = found.slice(0, limit).map(viewOf);
    return { items, nextCursor: found.length > limit ? items.at(-1)!.id : null };
  }

  @Get(':id/raw')
  @ApiOperation({ summary: 'The bytes of a message that could not be read, as they arrived' })
  @ApiResponse({
    status: 200,
    description: 'The bytes; only the first 1 MiB if the message is larger.',
    content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
  })
  @ProblemResponse(404, 'There is no such dead letter, or it is a failed job and has no bytes.')
  async raw(@Param('id') id: string, @Res() response: Response): Promise<void> {
    const bytes = isUuid(id) ? await readDeadLetterRaw(this.pool, id) : undefined;
    if (!bytes) {
      const detail = `No dead letter with the id "${id}" has the bytes of a message.`;
      throw new Problem(404, 'dead_letter_not_found', 'There is no such message', detail);
    }
    // The bytes are untrusted. These headers make a browser store them and not render them.
    response.attachment(`${id.toLowerCase()}.bin`).type('application/octet-stream');
    response.set({ 'Cache-Control': 'private, no-store', 'X-Content-Type-Options': 'nosniff' }).send(bytes);
  }

  @Post('redrive')
  @Roles('operator')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Run failed jobs again',
    description:
      'Each job returns to its queue with its next dispatch number, all its attempts and the same effect key. At most 1,000 in one call. The dead letter records the caller.',
  })
  @ApiBody({ schema: { ...toOpenApi(redriveBody), example: { filter: { kind: 'email.send' } } } })
  @ApiResponse({
    status: 202,
    description: 'The jobs that run again, and those that do not.',
    schema: toOpenApi(redriveView),
  })
  @ProblemResponse(400, 'The body is invalid.')
  async redrive(@Body() rawBody: unknown, @CallerOf() caller: Caller): Promise<z.output<typeof redriveView>> {
    const { ids, filter } = parseBody(redriveBody, rawBody);
    const { kind, broker, before } = filter ?? {};
    const selection = { ids, kind, broker, before: before === undefined ? undefined : new Date(before) };
    return this.redriver.redrive(selection, nameOf(caller));
  }
}

function viewOf({ createdAt, raw, redrivenAt, ...letter }: DeadLetter): z.output<typeof deadLetterView> {
  return {
    ...letter,
    at: createdAt.toISOString(),
    raw: raw?.toString('base64') ?? null,
    redrivenAt: redrivenAt?.toISOString() ?? null,
  };
}
