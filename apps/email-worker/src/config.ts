import { readSettings } from '@app/configuration';
import { workerSettingNames } from '@app/messaging';

export const readWorkerSettings = () => readSettings([...workerSettingNames, 'SMTP_URL', 'SMTP_FROM']);

export type EmailWorkerSettings = ReturnType<typeof readWorkerSettings>;
