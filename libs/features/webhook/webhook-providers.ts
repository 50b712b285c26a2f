import type { Provider } from '@nestjs/common';
import { Deliveries } from './deliveries';
import { Endpoints } from './endpoints';
import { SecretBox } from './secret-box';
import { TargetGuard } from './target-guard';
import { receiverUrlOf, type WebhookSettings } from './webhook-settings';

/** Requires a `JobsService` in the same module. */
export function webhookProviders(settings: WebhookSettings): Provider[] {
  const { NODE_ENV, SIGNING_SECRET, WEBHOOK_SECRETS_KEY, WEBHOOK_ALLOW_HOSTS = [] } = settings;
  return [
    { provide: SecretBox, useValue: new SecretBox(WEBHOOK_SECRETS_KEY ?? SIGNING_SECRET) },
    {
      provide: TargetGuard,
      useValue: new TargetGuard({
        httpsOnly: NODE_ENV === 'production',
        allowedHosts: WEBHOOK_ALLOW_HOSTS,
        receiverUrl: receiverUrlOf(settings),
      }),
    },
    Endpoints,
    Deliveries,
  ];
}
