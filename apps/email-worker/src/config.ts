import { readSettings, workerSettingNames } from '@app/configuration';

export const settingNames = [...workerSettingNames, 'SMTP_URL', 'SMTP_FROM'] as const;

export const readWorkerSettings = () => readSettings(settingNames);
