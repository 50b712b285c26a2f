import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Roles, CallerOf, type Caller, toOpenApi } from '@app/http';
import { WebhookReceiver } from './webhook-receiver';

const received = z.object({
  url: z.string().describe('the `url` for a webhook that sends its messages to this receiver'),
  items: z.array(z.object({ webhookId: z.string(), receivedAt: z.iso.datetime(), body: z.unknown() })),
});

/** Shows the webhooks that the built-in receiver has received. The route exists only outside production. */
@ApiTags('development')
@Roles('user')
@Controller('dev/webhook-receiver')
export class WebhookReceiverController {
  constructor(private readonly receiver: WebhookReceiver) {}

  @Get()
  @ApiOperation({
    summary: 'List the webhook messages of the tenant that the built-in receiver has accepted, newest first',
    description:
      'A webhook with this `url` sends its messages here. The receiver has checked the signature of each message.',
  })
  @ApiResponse({ status: 200, description: 'The messages.', schema: toOpenApi(received) })
  list(@CallerOf() { tenant }: Caller): z.output<typeof received> {
    return { url: this.receiver.url, items: [...this.receiver.list(tenant)] };
  }
}
