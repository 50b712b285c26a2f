import { readSettings } from '@app/configuration';
import { workerSettingNames } from '@app/messaging';
import { webhookSettingNames } from '@app/features/webhook';

export const settingNames = [...workerSettingNames, ...webhookSettingNames] as const;

export const readWorkerSettings = () => readSettings(settingNames);
