import { brokerSettingNames, processSettingNames, readSettings } from '@app/configuration';
import { storageSettingNames } from '@app/storage';

export const settingNames = [
  ...brokerSettingNames,
  ...processSettingNames,
  ...storageSettingNames,
  'DIGEST_TO',
  'DIGEST_CRON',
  'DIGEST_ZONE',
  'SWEEP_MS',
  'RECONCILE_MS',
  'FORGOTTEN_AFTER_MS',
  'RETENTION_ENDED_DAYS',
  'RETENTION_FAILED_DAYS',
  'RETENTION_DEDUPE_DAYS',
  'RETENTION_AUDIT_DAYS',
] as const;

export const readRelaySettings = () => readSettings(settingNames);

export type RelaySettings = ReturnType<typeof readRelaySettings>;
