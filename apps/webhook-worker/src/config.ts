import { readSettings } from '@app/configuration';
import { workerSettingNames } from '@app/messaging';
import { webhookSettingNames } from '@app/webhooks';

export const readWorkerSettings = () => readSettings([...workerSettingNames, ...webhookSettingNames]);

export type WebhookWorkerSettings = ReturnType<typeof readWorkerSettings>;
