import { readSettings } from '@app/configuration';
import { workerSettingNames } from '@app/messaging';
import { storageSettingNames } from '@app/storage';

export const readWorkerSettings = () => readSettings([...workerSettingNames, ...storageSettingNames]);

export type ReportWorkerSettings = ReturnType<typeof readWorkerSettings>;
