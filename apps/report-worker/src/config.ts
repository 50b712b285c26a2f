import { readSettings, workerSettingNames } from '@app/configuration';
import { storageSettingNames } from '@app/storage';

export const settingNames = [...workerSettingNames, ...storageSettingNames] as const;

export const readWorkerSettings = () => readSettings(settingNames);
