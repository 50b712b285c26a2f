import { readSettings } from '@app/configuration';
import { replayingBrokers, workerSettingNames } from '@app/messaging';

export const settingNames = [...workerSettingNames, 'SYNC_REPLAY'] as const;

/** @throws ConfigurationError */
export function readWorkerSettings() {
  const settings = readSettings(settingNames);
  return settings.SYNC_REPLAY === undefined ? settings : replayingBrokers(settings, 'SYNC_REPLAY');
}
