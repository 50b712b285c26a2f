import { Endpoints, receiverPath, receiverUrlOf, webhookProviders, type WebhookSettings } from '@app/features/webhook';
import type { FeatureRoutes } from '@app/http';
import { DeliveriesController } from './deliveries.controller';
import { WebhookReceiver } from './webhook-receiver';
import { WebhookReceiverController } from './webhook-receiver.controller';
import { WebhookUrls } from './webhook-urls';
import { WebhooksController } from './webhooks.controller';

/** Outside production with a receiver, so that webhooks can be tried without a server of one's own. */
export function webhookRoutes(settings: WebhookSettings): FeatureRoutes {
  const controllers = [WebhooksController, DeliveriesController];
  const providers = [...webhookProviders(settings), WebhookUrls];
  const receiverUrl = receiverUrlOf(settings);
  if (receiverUrl === undefined) return { controllers, providers };
  const receiver = {
    provide: WebhookReceiver,
    inject: [Endpoints],
    useFactory: (endpoints: Endpoints) => new WebhookReceiver(endpoints, receiverUrl),
  };
  return {
    controllers: [...controllers, WebhookReceiverController],
    providers: [...providers, receiver],
    // The signature says who sends, not a key.
    beforeAccess: (app) => app.use(receiverPath, app.get(WebhookReceiver).receive),
  };
}
