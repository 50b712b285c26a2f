import { readSettings } from '@app/configuration';
import { workerSettingNames } from '@app/messaging';

export const settingNames = [...workerSettingNames, 'SMTP_URL', 'SMTP_FROM'] as const;

export const readWorkerSettings = () => readSettings(settingNames);
