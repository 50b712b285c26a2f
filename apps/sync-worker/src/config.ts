import { readSettings } from '@app/configuration';
import { replayingBrokers, workerSettingNames } from '@app/messaging';

export type SyncWorkerSettings = ReturnType<typeof readWorkerSettings>;

/** @throws ConfigurationError */
export function readWorkerSettings() {
  const settings = readSettings([...workerSettingNames, 'SYNC_REPLAY']);
  return settings.SYNC_REPLAY === undefined ? settings : replayingBrokers(settings, 'SYNC_REPLAY');
}
