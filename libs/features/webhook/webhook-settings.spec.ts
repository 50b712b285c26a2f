import { receiverUrlOf, type WebhookSettings } from './webhook-settings';

const settings: WebhookSettings = {
  NODE_ENV: 'development',
  PORT: 3100,
  PUBLIC_URL: undefined,
  SIGNING_SECRET: undefined,
  WEBHOOK_SECRETS_KEY: undefined,
  WEBHOOK_ALLOW_HOSTS: undefined,
  WEBHOOK_RECEIVER_URL: undefined,
};

describe('the URL of the built-in receiver', () => {
  it.each<[string, Partial<WebhookSettings>, string | undefined]>([
    ['is on this machine by default', {}, 'http://localhost:3100/dev/webhook-receiver'],
    ['follows PUBLIC_URL', { PUBLIC_URL: 'https://shop.example' }, 'https://shop.example/dev/webhook-receiver'],
    [
      'is WEBHOOK_RECEIVER_URL where the worker reaches the API at another address',
      { PUBLIC_URL: 'https://shop.example', WEBHOOK_RECEIVER_URL: 'http://api:3000/dev/webhook-receiver' },
      'http://api:3000/dev/webhook-receiver',
    ],
    [
      'is undefined in production',
      { NODE_ENV: 'production', WEBHOOK_RECEIVER_URL: 'http://api:3000/dev/webhook-receiver' },
      undefined,
    ],
  ])('%s', (_case, changed, expected) => {
    expect(receiverUrlOf({ ...settings, ...changed })).toBe(expected);
  });
});
