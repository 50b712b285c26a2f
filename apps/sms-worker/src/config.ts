import { readSettings } from '@app/configuration';
import { workerSettingNames } from '@app/messaging';

export const readWorkerSettings = () => readSettings([...workerSettingNames, 'SMS_URL', 'SMS_TOKEN']);

export type SmsWorkerSettings = ReturnType<typeof readWorkerSettings>;
