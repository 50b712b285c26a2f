import { Body, Controller, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Pool } from 'pg';
import { z } from 'zod';
import { requestableBrokers, storableText } from '@app/contracts';
import { beginRedrive, judgedJobs, listRedrives, readRedrive, setRedriveState, type Redrive } from '@app/ledger';
import {
  CallerOf,
  isUuid,
  nameOf,
  parseBody,
  Problem,
  ProblemResponse,
  quoted,
  Roles,
  toOpenApi,
  type Caller,
} from '@app/http';

const moment = z.iso.datetime({ offset: true });

const redriveBody = z.strictObject({
  filter: z
    .strictObject({
      kind: storableText.max(100).optional(),
      broker: z.enum(requestableBrokers).optional(),
      reason: storableText
        .max(100)
        .optional()
        .describe('such as `attempts_exhausted`, which leaves out permanent refusals'),
      tenant: storableText.max(63).optional(),
      after: moment.optional(),
      before: moment.optional(),
    })
    .describe('the dead letters of failed jobs that match and exist now, of every tenant; an empty filter matches all'),
  perSecond: z.int().min(1).max(100).default(10).describe('how many jobs run again in a second, at most'),
});

const redriveView = z.object({
  id: z.uuid(),
  state: z
    .enum(['running', 'paused', 'stopped', 'finished', 'cancelled'])
    .describe('`stopped`: by itself, because most of its jobs failed again; `resume` goes on'),
  filter: z.object({
    kind: z.string().nullable(),
    broker: z.string().nullable(),
    reason: z.string().nullable(),
    tenant: z.string().nullable(),
    before: moment,
  }),
  perSecond: z.int(),
  by: z.string(),
  at: moment,
  redriven: z.int(),
  refused: z.int(),
  latest: z
    .object({ completed: z.int(), failing: z.int(), open: z.int() })
    .describe(
      `of its last jobs, ${judgedJobs} at most: completed, and failed or waiting for a retry; and how many have not ended`,
    ),
});

const page = z.object({ items: z.array(redriveView) });

@ApiTags('operations')
@Roles('operator')
@Controller('v1/redrives')
export class RedrivesController {
  constructor(private readonly pool: Pool) {}

  @Post()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Redrive many dead letters, some per second',
    description:
      'The relay redrives the oldest first. It stops by itself when most of the jobs fail again, so that a provider that is still down gets no storm.',
  })
  @ApiBody({ schema: { ...toOpenApi(redriveBody), example: { filter: { kind: 'email.send' }, perSecond: 10 } } })
  @ApiResponse({ status: 202, description: 'The redrive, which runs.', schema: toOpenApi(redriveView) })
  @ProblemResponse(400, 'The body is invalid.')
  @ProblemResponse(409, 'A redrive with the same kind, broker, reason and tenant runs or is paused.')
  async begin(
    @Body() rawBody: unknown,
    @CallerOf() caller: Caller,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.output<typeof redriveView>> {
    const { filter, perSecond } = parseBody(redriveBody, rawBody);
    const { kind, broker, reason, tenant, after, before } = filter;
    const selection = { kind, broker, reason, tenant, after, before };
    const [begun] = await beginRedrive.run(this.pool, { ...selection, perSecond, by: nameOf(caller) });
    if (!begun) throw anotherRuns();
    response.location(`/v1/redrives/${begun.id}`);
    return this.read(begun.id);
  }

  @Get()
  @ApiOperation({ summary: 'List redrives, newest first, 20 at most' })
  @ApiResponse({ status: 200, description: 'The redrives.', schema: toOpenApi(page) })
  async list(): Promise<z.output<typeof page>> {
    return { items: (await listRedrives.run(this.pool)).map(viewOf) };
  }

  @Get(':id')
  @ApiOperation({ summary: 'A redrive, and how far it has come' })
  @ApiResponse({ status: 200, description: 'The redrive.', schema: toOpenApi(redriveView) })
  @ProblemResponse(404, 'There is no such redrive.')
  async read(@Param('id') id: string): Promise<z.output<typeof redriveView>> {
    const [found] = isUuid(id) ? await readRedrive.run(this.pool, { id }) : [];
    if (!found) throw notFound(id);
    return viewOf(found);
  }

  @Post(':id/pause')
  @HttpCode(200)
  @ApiOperation({ summary: 'Pause a redrive. Paused twice, it stays paused' })
  @ApiResponse({ status: 200, description: 'The redrive.', schema: toOpenApi(redriveView) })
  @ProblemResponse(404, 'There is no such redrive.')
  @ProblemResponse(409, 'It has finished or stopped.')
  pause(@Param('id') id: string, @CallerOf() caller: Caller): Promise<z.output<typeof redriveView>> {
    return this.change(id, 'paused', ['running'], nameOf(caller));
  }

  @Post(':id/resume')
  @HttpCode(200)
  @ApiOperation({ summary: 'Go on with a redrive that was paused or has stopped' })
  @ApiResponse({ status: 200, description: 'The redrive.', schema: toOpenApi(redriveView) })
  @ProblemResponse(404, 'There is no such redrive.')
  @ProblemResponse(409, 'It has finished or was cancelled, or another one with the same filter runs.')
  resume(@Param('id') id: string, @CallerOf() caller: Caller): Promise<z.output<typeof redriveView>> {
    return this.change(id, 'running', ['paused', 'stopped'], nameOf(caller));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({ summary: 'End a redrive. What it has redriven stays redriven' })
  @ApiResponse({ status: 200, description: 'The redrive.', schema: toOpenApi(redriveView) })
  @ProblemResponse(404, 'There is no such redrive.')
  @ProblemResponse(409, 'It has finished.')
  cancel(@Param('id') id: string, @CallerOf() caller: Caller): Promise<z.output<typeof redriveView>> {
    return this.change(id, 'cancelled', ['running', 'paused', 'stopped'], nameOf(caller));
  }

  private async change(id: string, to: Redrive['state'], from: readonly Redrive['state'][], by: string) {
    const [found] = isUuid(id)
      ? await setRedriveState.run(this.pool, { id, to, from, by }).catch((error: unknown) => {
          throw (error as { code?: string }).code === uniqueViolation ? anotherRuns() : error;
        })
      : [];
    if (!found) throw notFound(id);
    if (found.was !== to && !from.includes(found.was)) {
      const detail = `Expected a redrive that is ${from.join(' or ')}, got one that is ${found.was}.`;
      throw new Problem(409, `redrive_${found.was}`, 'The redrive cannot change to this state', detail);
    }
    return this.read(id);
  }
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const uniqueViolation = '23505';

function anotherRuns(): Problem {
  const detail =
    'Expected no other redrive with this kind, broker, reason and tenant that runs or is paused, found one.';
  return new Problem(409, 'redrive_running', 'Such a redrive runs', `${detail} Cancel it, or wait.`);
}

function notFound(id: string): Problem {
  return new Problem(404, 'redrive_not_found', 'There is no such redrive', `No redrive has the id ${quoted(id)}.`);
}

function viewOf(found: Redrive): z.output<typeof redriveView> {
  const { id, state, kind, broker, reason, tenant, before, perSecond, redriven, refused } = found;
  const { completed, failing, open } = found;
  return {
    id,
    state,
    filter: { kind, broker, reason, tenant, before: before.toISOString() },
    perSecond,
    by: found.createdBy,
    at: found.createdAt.toISOString(),
    redriven,
    refused,
    latest: { completed, failing, open },
  };
}
