import { brokerSettingNames } from '@app/messaging';

export const settingNames = [...brokerSettingNames, 'DATABASE_APP_URL'] as const;
