import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Pool } from 'pg';
import { z } from 'zod';
import { storableText } from '@app/contracts';
import { listAudit } from '@app/ledger';
import { parseQuery, ProblemResponse, Roles, toOpenApi } from '@app/http';

const listQuery = z.strictObject({
  subject: storableText.max(100).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z
    .string()
    .regex(/^[1-9]\d{0,17}$/, 'expected the `nextCursor` of the previous page')
    .optional(),
});

const entryView = z.object({
  id: z.string(),
  at: z.iso.datetime({ offset: true }),
  actor: z.string().describe('the tenant and the roles of the key, such as `ops (operator)`'),
  action: z.string().describe('stable, such as `dead_letter.discard`'),
  subject: z.string().describe('the id of what was changed'),
  detail: z.record(z.string(), z.unknown()),
});

const page = z.object({ items: z.array(entryView), nextCursor: z.string().nullable() });

@ApiTags('operations')
@Roles('operator')
@Controller('v1/audit')
export class AuditController {
  constructor(private readonly pool: Pool) {}

  @Get()
  @ApiOperation({ summary: 'List what operators did with dead letters and redrives, newest first' })
  @ApiQuery({ name: 'subject', required: false, description: 'the id of what was changed, such as a dead letter' })
  @ApiQuery({ name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 } })
  @ApiQuery({ name: 'cursor', required: false, description: '`nextCursor` of the previous page' })
  @ApiResponse({ status: 200, description: 'A page of actions.', schema: toOpenApi(page) })
  @ProblemResponse(400, 'A query parameter is invalid.')
  async list(@Query() rawQuery: unknown): Promise<z.output<typeof page>> {
    const { subject, limit, cursor } = parseQuery(listQuery, rawQuery);
    const found = await listAudit.run(this.pool, { subject, before: cursor, limit: limit + 1 });
    const items = found.slice(0, limit).map((entry) => ({ ...entry, at: entry.at.toISOString() }));
    return { items, nextCursor: found.length > limit ? items.at(-1)!.id : null };
  }
}
