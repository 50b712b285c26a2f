import { receiverPath, receiverUrlOf, webhookProviders, type WebhookSettings } from '@app/features/webhook';
import type { FeatureRoutes } from '@app/http';
import { DeliveriesController } from './deliveries.controller';
import { WebhookReceiverController } from './webhook-receiver.controller';
import { WebhooksController } from './webhooks.controller';

/**
 * @returns the routes for webhooks; outside production also a receiver, so that developers can try webhooks without a
 *   server of their own
 */
export function webhookRoutes(settings: WebhookSettings): FeatureRoutes {
  const controllers = [WebhooksController, DeliveriesController];
  const providers = webhookProviders(settings);
  if (receiverUrlOf(settings) === undefined) return { controllers, providers };
  return {
    controllers: [...controllers, WebhookReceiverController],
    providers,
    // The signature identifies the sender, who has no API key. So this route comes before the check for a key.
    beforeAccess: (app) => app.use(receiverPath, app.get(WebhookReceiverController).receive),
  };
}
