import { readSettings } from '@app/configuration';
import { workerSettingNames } from '@app/messaging';
import { storageSettingNames } from '@app/storage';

export const settingNames = [...workerSettingNames, ...storageSettingNames] as const;

export const readWorkerSettings = () => readSettings(settingNames);
