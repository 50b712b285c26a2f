import { Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import { shownStates } from '@app/contracts';
import { Deliveries, Endpoints } from '@app/features/webhook';
import {
  Roles,
  isUuid,
  CallerOf,
  type Caller,
  parseQuery,
  Problem,
  quoted,
  toOpenApi,
  ProblemResponse,
  jobView,
  answerAccepted,
  type JobView,
} from '@app/http';
import { findWebhook, moment } from './webhook-view';

const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(50).default(20),
  cursor: z.uuid().optional(),
});

const deliveryView = z.object({
  jobId: z.uuid(),
  webhookId: z.string().describe('the `webhook-id` that the receiver saw'),
  type: z.string(),
  state: z.enum(shownStates),
  createdAt: moment,
  nextAttemptAt: moment.nullable(),
  attempts: z.array(
    z.object({
      attempt: z.int(),
      at: moment,
      ms: z.int(),
      status: z.int().nullable().describe('null: there was no answer'),
      answer: z.string().describe('its first bytes'),
      error: z.string().nullable(),
    }),
  ),
});

const deliveryPage = z.object({ items: z.array(deliveryView), nextCursor: z.string().nullable() });

@ApiTags('webhooks')
@Roles('user')
@Controller('v1/webhooks/:id/deliveries')
export class DeliveriesController {
  constructor(
    private readonly endpoints: Endpoints,
    private readonly deliveries: Deliveries,
  ) {}

  @Get()
  @ApiOperation({ summary: 'List the deliveries to a webhook and their answers, newest first' })
  @ApiQuery({ name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: 50, default: 20 } })
  @ApiQuery({ name: 'cursor', required: false, description: '`nextCursor` of the previous page' })
  @ApiResponse({ status: 200, description: 'A page of deliveries.', schema: toOpenApi(deliveryPage) })
  @ProblemResponse(400, 'A query parameter is invalid.')
  @ProblemResponse(404, 'There is no such webhook.')
  async list(
    @Param('id') id: string,
    @Query() rawQuery: unknown,
    @CallerOf() { tenant }: Caller,
  ): Promise<z.output<typeof deliveryPage>> {
    const { limit, cursor } = parseQuery(listQuery, rawQuery);
    await findWebhook(this.endpoints, tenant, id);
    const found = await this.deliveries.list({ tenant, endpointId: id }, cursor, limit + 1);
    const items = found.slice(0, limit);
    return { items, nextCursor: found.length > limit ? items.at(-1)!.jobId : null };
  }

  @Post(':jobId/resend')
  @ApiOperation({
    summary: 'Send a message again',
    description:
      'Makes a new job with the same message and the same `webhook-id`, whatever the state of the first job. By the `webhook-id`, a receiver detects that it already has the message.',
  })
  @ApiResponse({ status: 202, description: 'The job that delivers it.', schema: toOpenApi(jobView) })
  @ProblemResponse(404, 'There is no such webhook, or it has had no such delivery.')
  async resend(
    @Param('id') id: string,
    @Param('jobId') jobId: string,
    @CallerOf() { tenant, traceparent }: Caller,
    @Res({ passthrough: true }) response: Response,
  ): Promise<JobView> {
    await findWebhook(this.endpoints, tenant, id);
    const job = isUuid(jobId)
      ? await this.deliveries.resend({ tenant, endpointId: id }, jobId, traceparent)
      : undefined;
    if (!job) {
      const detail = `This webhook has had no delivery by a job with the id ${quoted(jobId)}.`;
      throw new Problem(404, 'delivery_not_found', 'There is no such delivery', detail);
    }
    return answerAccepted(job, response);
  }
}
