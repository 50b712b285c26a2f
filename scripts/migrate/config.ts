import { brokerSettingNames } from '@app/configuration';

export const settingNames = [...brokerSettingNames, 'DATABASE_APP_URL'] as const;
