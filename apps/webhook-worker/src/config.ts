import { readSettings, workerSettingNames } from '@app/configuration';
import { webhookSettingNames } from '@app/features/webhook/webhook-settings';

export const settingNames = [...workerSettingNames, ...webhookSettingNames] as const;

export const readWorkerSettings = () => readSettings(settingNames);
