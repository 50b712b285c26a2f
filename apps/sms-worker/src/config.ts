import { readSettings } from '@app/configuration';
import { workerSettingNames } from '@app/messaging';

export const settingNames = [...workerSettingNames, 'SMS_URL', 'SMS_TOKEN'] as const;

export const readWorkerSettings = () => readSettings(settingNames);
