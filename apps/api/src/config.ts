import { readSettings } from '@app/configuration';
import { brokerSettingNames } from '@app/messaging';

export const readApiSettings = () =>
  readSettings([
    ...brokerSettingNames,
    'NODE_ENV',
    'HOST',
    'PORT',
    'PUBLIC_URL',
    'SHUTDOWN_GRACE_MS',
    'LOG_LEVEL',
    'LOG_FORMAT',
    'FAIL_POINT',
  ]);

export type ApiSettings = ReturnType<typeof readApiSettings>;
