import { processSettingNames, readSettings } from '@app/configuration';
import { brokerSettingNames } from '@app/messaging';
import { storageSettingNames } from '@app/storage';
import { featureSettingNames } from './features';

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
