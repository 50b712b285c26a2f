import type { Provider } from '@nestjs/common';
import type { Settings } from '@app/configuration';
import { Deliveries } from './deliveries';
import { Endpoints } from './endpoints';
import { SecretBox } from './secret-box';
import { TargetGuard } from './target-guard';

/** The settings of a process that stores endpoints or sends to them. */
export const webhookSettingNames = [
  'NODE_ENV',
  'PORT',
  'PUBLIC_URL',
  'SIGNING_SECRET',
  'WEBHOOK_SECRETS_KEY',
  'WEBHOOK_ALLOW_HOSTS',
  'WEBHOOK_RECEIVER_URL',
] as const;

export type WebhookSettings = Pick<Settings, (typeof webhookSettingNames)[number]>;

export const receiverPath = '/dev/webhook-receiver';

/** @returns the address at which the API itself receives webhooks, for trying them; undefined in production */
export function receiverUrlOf(settings: WebhookSettings): string | undefined {
  const { NODE_ENV, WEBHOOK_RECEIVER_URL, PUBLIC_URL, PORT } = settings;
  if (NODE_ENV === 'production') return undefined;
  if (WEBHOOK_RECEIVER_URL !== undefined) return new URL(WEBHOOK_RECEIVER_URL).href;
  return new URL(receiverPath, PUBLIC_URL ?? `http://localhost:${PORT}`).href;
}

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
