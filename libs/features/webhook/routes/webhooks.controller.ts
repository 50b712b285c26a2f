import { Body, Controller, Delete, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { Deliveries, Endpoints, mostEndpoints, TargetGuard, TargetRefused } from '@app/features/webhook';
import {
  Roles,
  CallerOf,
  type Caller,
  parseBody,
  Problem,
  toOpenApi,
  ProblemResponse,
  jobView,
  answerAccepted,
  type JobView,
} from '@app/http';
import { findWebhook, newWebhook, webhookView, webhookWithSecret } from './webhook-view';

const webhookList = z.object({ items: z.array(webhookView) });

const rotation = z
  .strictObject({
    keepPreviousHours: z
      .int()
      .min(0)
      .max(7 * 24)
      .default(24)
      .describe('how long messages are also signed with the previous secret; 0 if that secret has leaked'),
  })
  .prefault({});

@ApiTags('webhooks')
@Roles('user')
@Controller('v1/webhooks')
export class WebhooksController {
  constructor(
    private readonly endpoints: Endpoints,
    private readonly deliveries: Deliveries,
    private readonly guard: TargetGuard,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Create a webhook for jobs that have ended',
    description: `Each ended job is sent as a signed POST to the URL (Standard Webhooks). The POST is retried until the endpoint answers with 2xx or the attempts are used up. At most ${mostEndpoints} webhooks for one tenant.`,
  })
  @ApiBody({
    schema: { ...toOpenApi(newWebhook), example: { url: 'https://shop.example.com/hooks', states: ['failed'] } },
  })
  @ApiResponse({ status: 201, description: 'The webhook, with its secret.', schema: toOpenApi(webhookWithSecret) })
  @ProblemResponse(400, 'The body is invalid; `errors` names the fields.')
  @ProblemResponse(409, 'The tenant has the maximum number of webhooks.')
  @ProblemResponse(422, 'Webhooks are not sent to this URL.')
  async create(
    @Body() rawBody: unknown,
    @CallerOf() { tenant }: Caller,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.output<typeof webhookWithSecret>> {
    const body = parseBody(newWebhook, rawBody);
    await this.checkUrl(body.url);
    const created = await this.endpoints.create(tenant, body);
    if (!created) {
      const detail = `Expected at most ${mostEndpoints}. Delete one that is not needed.`;
      throw new Problem(409, 'too_many_webhooks', 'There are too many webhooks', detail);
    }
    response.location(`/v1/webhooks/${created.id}`);
    return created;
  }

  @Get()
  @ApiOperation({ summary: 'List webhooks' })
  @ApiResponse({ status: 200, description: 'All of them, oldest first.', schema: toOpenApi(webhookList) })
  async list(@CallerOf() { tenant }: Caller): Promise<z.output<typeof webhookList>> {
    return { items: await this.endpoints.list(tenant) };
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a webhook' })
  @ApiResponse({ status: 200, description: 'The webhook.', schema: toOpenApi(webhookView) })
  @ProblemResponse(404, 'There is no such webhook.')
  async read(@Param('id') id: string, @CallerOf() { tenant }: Caller): Promise<z.output<typeof webhookView>> {
    return findWebhook(this.endpoints, tenant, id);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a webhook', description: 'Its pending deliveries are cancelled.' })
  @ApiResponse({ status: 204, description: 'The webhook and its log are deleted.' })
  @ProblemResponse(404, 'There is no such webhook.')
  async delete(@Param('id') id: string, @CallerOf() { tenant }: Caller): Promise<void> {
    await findWebhook(this.endpoints, tenant, id);
    const open = await this.deliveries.open({ tenant, endpointId: id });
    await this.endpoints.delete(tenant, id);
    await this.deliveries.cancel(tenant, open);
  }

  @Post(':id/test')
  @ApiOperation({ summary: 'Send a test message to a webhook', description: 'Its type is `webhook.test`.' })
  @ApiResponse({ status: 202, description: 'The job that delivers it.', schema: toOpenApi(jobView) })
  @ProblemResponse(404, 'There is no such webhook.')
  async test(
    @Param('id') id: string,
    @CallerOf() { tenant, traceparent }: Caller,
    @Res({ passthrough: true }) response: Response,
  ): Promise<JobView> {
    await findWebhook(this.endpoints, tenant, id);
    const message = {
      webhookId: uuidv7(),
      type: 'webhook.test',
      timestamp: new Date().toISOString(),
      data: { webhook: id },
    };
    const job = await this.deliveries.send({ tenant, endpointId: id }, message, traceparent);
    return answerAccepted(job, response);
  }

  @Post(':id/rotate-secret')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Replace the secret',
    description:
      'For some time, messages are signed with both secrets, so that receivers can change to the new one. At most two secrets are valid at a time.',
  })
  @ApiBody({ required: false, schema: toOpenApi(rotation) })
  @ApiResponse({ status: 200, description: 'The webhook, with its new secret.', schema: toOpenApi(webhookWithSecret) })
  @ProblemResponse(400, 'The body is invalid.')
  @ProblemResponse(404, 'There is no such webhook.')
  async rotateSecret(
    @Param('id') id: string,
    @Body() rawBody: unknown,
    @CallerOf() { tenant }: Caller,
  ): Promise<z.output<typeof webhookWithSecret>> {
    const { keepPreviousHours } = parseBody(rotation, rawBody);
    await findWebhook(this.endpoints, tenant, id);
    const secret = await this.endpoints.rotateSecret(tenant, id, keepPreviousHours);
    return { ...(await findWebhook(this.endpoints, tenant, id)), secret };
  }

  @Post(':id/enable')
  @HttpCode(200)
  @ApiOperation({ summary: 'Enable a webhook that was disabled because it answered 410 Gone' })
  @ApiResponse({ status: 200, description: 'The webhook.', schema: toOpenApi(webhookView) })
  @ProblemResponse(404, 'There is no such webhook.')
  @ProblemResponse(422, 'Webhooks are not sent to its URL any more.')
  async enable(@Param('id') id: string, @CallerOf() caller: Caller): Promise<z.output<typeof webhookView>> {
    const { url } = await findWebhook(this.endpoints, caller.tenant, id);
    await this.checkUrl(url);
    await this.endpoints.enable(caller.tenant, id);
    return this.read(id, caller);
  }
  /** The caller sees the error at once, not at the first delivery. @throws Problem 422 if webhooks are not sent there */
  private async checkUrl(url: string): Promise<void> {
    try {
      await this.guard.check(url);
    } catch (error) {
      if (!(error instanceof TargetRefused)) throw error;
      const { message } = error;
      throw new Problem(422, 'webhook_url_refused', 'Webhooks are not sent there', message, [{ path: 'url', message }]);
    }
  }
}
