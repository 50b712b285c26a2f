import { readSettings, workerSettingNames } from '@app/configuration';

export const settingNames = [...workerSettingNames, 'SYNC_REPLAY'] as const;

export const readWorkerSettings = () => readSettings(settingNames);
