import type { Provider } from '@nestjs/common';
import { filesFolder, type Settings } from '@app/configuration';
import { FileStore } from './file-store';
import { LocalFileStore } from './local-file-store';
import type * as S3 from './s3-file-store';

/** The settings of a process that reads or writes files. */
export const storageSettingNames = [
  'DATA_DIR',
  'STORAGE_DIR',
  'S3_ENDPOINT',
  'S3_REGION',
  'S3_BUCKET',
  'S3_ACCESS_KEY_ID',
  'S3_SECRET_ACCESS_KEY',
] as const;

export type StorageSettings = Pick<Settings, (typeof storageSettingNames)[number]>;

/** The file store of the process. Inject it as `FileStore`. */
export const fileStoreProvider = (settings: StorageSettings): Provider => ({
  provide: FileStore,
  useFactory: () => fileStoreOf(settings),
});

/**
 * Checks the folder before a process starts: a folder that cannot be written stays so. A bucket is not checked, because
 * it may be away only for now.
 * @throws UnusableFolder
 */
export async function checkStorageFolder(settings: StorageSettings): Promise<void> {
  if (settings.S3_BUCKET !== undefined) return;
  await fileStoreOf(settings).check();
}

/** Uses a bucket when one is named, otherwise a folder. */
export function fileStoreOf(settings: StorageSettings): FileStore {
  const { S3_BUCKET: bucket, S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = settings;
  if (bucket === undefined) return new LocalFileStore(filesFolder(settings));
  // A large library, loaded only where a bucket is used.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { S3FileStore } = require('./s3-file-store') as typeof S3;
  // readSettings has checked that both keys are set.
  const keys = { accessKeyId: accessKeyId!, secretAccessKey: secretAccessKey! };
  return new S3FileStore({ endpoint: settings.S3_ENDPOINT, region: settings.S3_REGION, bucket, ...keys });
}
