import { brokerSettingNames, processSettingNames, readSettings } from '@app/configuration';
import { webhookSettingNames } from '@app/features/webhook/webhook-settings';
import { storageSettingNames } from '@app/storage';

/** Settings that use cases add to those of the API. */
export const featureSettingNames = ['NODE_ENV', ...webhookSettingNames] as const;

export const settingNames = [
  ...brokerSettingNames,
  ...processSettingNames,
  ...featureSettingNames,
  ...storageSettingNames,
  'NODE_ENV',
  'PORT',
  'PUBLIC_URL',
  'TRUST_PROXY',
  'API_KEYS',
  'SIGNING_SECRET',
  'THROTTLE_PER_SECOND',
  'STREAMS_PER_PROCESS',
  'STREAMS_PER_TENANT',
  'STREAM_HEARTBEAT_MS',
  'STREAM_STALL_MS',
] as const;

export const readApiSettings = () => readSettings(settingNames);

export type ApiSettings = ReturnType<typeof readApiSettings>;
