import { readSettings } from '@app/configuration';
import { brokerSettingNames } from '@app/messaging';

export const readApiSettings = () =>
  readSettings([
    ...brokerSettingNames,
    'NODE_ENV',
    'HOST',
    'PORT',
    'PUBLIC_URL',
    'TRUST_PROXY',
    'API_KEYS',
    'SIGNING_SECRET',
    'THROTTLE_PER_SECOND',
    'SHUTDOWN_GRACE_MS',
    'LOG_LEVEL',
    'LOG_FORMAT',
    'FAIL_POINT',
  ]);

export type ApiSettings = ReturnType<typeof readApiSettings>;
