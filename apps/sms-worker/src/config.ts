import { readSettings, workerSettingNames } from '@app/configuration';

export const settingNames = [...workerSettingNames, 'SMS_URL', 'SMS_TOKEN'] as const;

export const readWorkerSettings = () => readSettings(settingNames);
