import { Body, Controller, Get, Header, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Pool } from 'pg';
import { z } from 'zod';
import { jobStates, requestableBrokers, storableText } from '@app/contracts';
import {
  discardDeadLetter,
  listDeadLetters,
  readDeadLetter,
  readDeadLetterRaw,
  shownRawBytes,
  type DeadLetter,
} from '@app/ledger';
import {
  Roles,
  CallerOf,
  type Caller,
  isUuid,
  nameOf,
  parseBody,
  parseQuery,
  Problem,
  quoted,
  toOpenApi,
  ProblemResponse,
} from '@app/http';
import { deadLetterNotFound, Redriver } from './redriver';

const kind = storableText.max(100);
const moment = z.iso.datetime({ offset: true });

const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

const listQuery = z.strictObject({
  kind: kind.optional(),
  broker: z.enum(requestableBrokers).optional(),
  redriven: flag.optional(),
  discarded: flag.optional(),
  search: storableText.min(1).max(100).optional(),
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
  redrivenAs: z.uuid().nullable().describe('the new job, if it was redriven with another payload'),
  discardedAt: moment.nullable(),
  discardedBy: z.string().nullable(),
  discardReason: z.string().nullable(),
});

const recordedError = z.object({
  at: moment,
  attempt: z.int(),
  error: z.object({ code: z.string(), message: z.string() }),
});

const deadLetterDetail = deadLetterView.extend({
  payload: z.unknown().describe('of the job; null for a message that could not be read'),
  state: z.enum(jobStates).nullable().describe('of the job, now'),
  errors: z.array(recordedError).describe('of all attempts, also of those before a redrive: the last 100'),
  redrivenFrom: z.uuid().nullable().describe('the dead letter whose payload was changed into this one'),
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

const redriveOneBody = z.strictObject({
  payload: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('in place of the payload of the job. Makes a new job, whose effects outside may happen again'),
});

const redrivenView = z.object({
  id: z.uuid(),
  jobId: z.uuid().describe('the job that runs: the same, or the new one'),
});

const discardBody = z.strictObject({ reason: storableText.trim().min(1).max(500) });

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
  @ApiQuery({
    name: 'discarded',
    required: false,
    enum: ['true', 'false'],
    description: 'false: only dead letters that were not discarded; true: only those that were',
  })
  @ApiQuery({
    name: 'search',
    required: false,
    description: 'text in the kind, the reason, the detail, the source or the id of the job, in either case',
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
      isRedriven: query.redriven,
      isDiscarded: query.discarded,
      search: query.search,
      before: cursor,
      limit: limit + 1,
    });
    const items = found.slice(0, limit).map(viewOf);
    return { items, nextCursor: found.length > limit ? items.at(-1)!.id : null };
  }

  /** For operators: Bull Board and the list show no payload. */
  @Get(':id')
  @Roles('operator')
  @ApiOperation({ summary: 'A dead letter, with the payload of its job and the error of every attempt' })
  @ApiResponse({ status: 200, description: 'The dead letter.', schema: toOpenApi(deadLetterDetail) })
  @ProblemResponse(404, 'There is no such dead letter.')
  @Header('Cache-Control', 'private, no-store')
  async read(@Param('id') id: string): Promise<z.output<typeof deadLetterDetail>> {
    const letter = isUuid(id) ? await readDeadLetter(this.pool, id) : undefined;
    if (!letter) throw deadLetterNotFound(id);
    const { payload, state, errors, redrivenFrom, ...row } = letter;
    return {
      ...viewOf(row),
      payload,
      state,
      errors: errors.map(({ at, attempt, error }) => ({ at: at.toISOString(), attempt, error })),
      redrivenFrom,
    };
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
      const detail = `No dead letter with the id ${quoted(id)} has the bytes of a message.`;
      throw new Problem(404, 'dead_letter_not_found', 'There is no such message', detail);
    }
    // The bytes are untrusted. These headers make a browser store them and not render them.
    response.attachment(`${id.toLowerCase()}.bin`).type('application/octet-stream');
    response.set({ 'Cache-Control': 'private, no-store', 'X-Content-Type-Options': 'nosniff' }).send(bytes);
  }

  @Post(':id/redrive')
  @Roles('operator')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Run the job of a dead letter again, or a new job with another payload',
    description:
      'With `{}` the same job returns to its queue with all its attempts and the same effect key. With a payload, which must be valid for its kind, a new job with a key of its own is made: what the failed job already did outside may then happen again. Either is done once for a dead letter, and recorded with the caller.',
  })
  @ApiBody({ schema: { ...toOpenApi(redriveOneBody), example: {} } })
  @ApiResponse({ status: 202, description: 'The job that runs.', schema: toOpenApi(redrivenView) })
  @ProblemResponse(400, 'The body is invalid, or the payload is not valid for its kind.')
  @ProblemResponse(404, 'There is no such dead letter.')
  @ProblemResponse(409, 'It was redriven or discarded, or its job cannot run again in this way.')
  @ProblemResponse(422, 'The broker of the job is not configured any more.')
  async redriveOne(
    @Param('id') id: string,
    @Body() rawBody: unknown,
    @CallerOf() caller: Caller,
  ): Promise<z.output<typeof redrivenView>> {
    const { payload } = parseBody(redriveOneBody, rawBody);
    if (!isUuid(id)) throw deadLetterNotFound(id);
    const by = nameOf(caller);
    const jobId = await (payload ? this.redriver.redriveEdited(id, payload, by) : this.redriver.redriveOne(id, by));
    return { id: id.toLowerCase(), jobId };
  }

  @Post(':id/discard')
  @Roles('operator')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Discard a dead letter: it is never redriven',
    description: 'The job stays failed. The dead letter records the caller and the reason of the first discard.',
  })
  @ApiBody({ schema: { ...toOpenApi(discardBody), example: { reason: 'a test order' } } })
  @ApiResponse({ status: 200, description: 'The dead letter.', schema: toOpenApi(deadLetterDetail) })
  @ProblemResponse(400, 'The body is invalid.')
  @ProblemResponse(404, 'There is no such dead letter.')
  @ProblemResponse(409, 'It was redriven before.')
  async discard(
    @Param('id') id: string,
    @Body() rawBody: unknown,
    @CallerOf() caller: Caller,
  ): Promise<z.output<typeof deadLetterDetail>> {
    const { reason } = parseBody(discardBody, rawBody);
    const [letter] = isUuid(id) ? await discardDeadLetter.run(this.pool, { id, reason, by: nameOf(caller) }) : [];
    if (letter?.obstacle) {
      throw new Problem(409, letter.obstacle, 'This dead letter cannot be discarded', 'It was redriven before.');
    }
    return this.read(id);
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

function viewOf({ createdAt, raw, redrivenAt, discardedAt, ...letter }: DeadLetter): z.output<typeof deadLetterView> {
  return {
    ...letter,
    at: createdAt.toISOString(),
    raw: raw?.toString('base64') ?? null,
    redrivenAt: redrivenAt?.toISOString() ?? null,
    discardedAt: discardedAt?.toISOString() ?? null,
  };
}
