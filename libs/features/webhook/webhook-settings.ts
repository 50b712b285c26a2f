import type { Settings } from '@app/configuration';

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
