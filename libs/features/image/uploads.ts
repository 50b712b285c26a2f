import { statement, tenantFilesIn, walkWhileFull, type Database, type RetentionWalk } from '@app/ledger';
import type { FileStore } from '@app/storage';
import { resizeImage } from './resize-image';

/**
 * Records an upload before its bytes are stored, so that no stored bytes are unknown to the database.
 * @param key in the file store
 */
export async function recordUpload(database: Database, tenant: string, key: string): Promise<void> {
  await recordStatement.run(database, { tenant, key });
}

/** @returns whether the upload exists and belongs to the tenant: the payload of a job may name any key */
export async function isUploadOf(database: Database, tenant: string, key: string): Promise<boolean> {
  return (await ownerStatement.run(database, { tenant, key })).length === 1;
}

/**
 * Removes uploads that are a day old and that no job needs, with their files. A week after its job has failed, a redrive
 * cannot succeed.
 * @throws the store's error; then the rows stay, so that a later walk finds the files
 */
export const uploadRetention =
  (store: FileStore): RetentionWalk =>
  (database) =>
    walkWhileFull(async () => {
      const keys = (await unneededStatement.run(database)).map(({ key }) => key);
      for (const key of keys) await store.remove(key);
      await forgetUploads(database, keys);
      return keys.length;
    }, page);

/** Deletes the records of uploads whose files are already deleted. */
export async function forgetUploads(database: Database, keys: readonly string[]): Promise<void> {
  if (keys.length > 0) await forgetStatement.run(database, { keys });
}

/** How many uploads one statement looks for. */
const page = 100;

/** The uploads of a tenant that still exist. */
export const uploadsOfTenant = tenantFilesIn('upload');

const recordStatement = statement<never>('record_upload').with(
  { tenant: 'text', key: 'text' },
  ($) => `INSERT INTO upload (tenant, key, created_at) VALUES (${$.tenant}, ${$.key}, now())`,
);

const ownerStatement = statement<object>('upload_of_tenant').with(
  { tenant: 'text', key: 'text' },
  ($) => `SELECT FROM upload WHERE tenant = ${$.tenant} AND key = ${$.key}`,
);

/** The jobs decide what is needed: an enqueue may have been committed although its answer was lost. */
const unneededStatement = statement<{ key: string }>('unneeded_uploads').text(
  `SELECT key FROM upload
    WHERE created_at < now() - interval '1 day'
      AND NOT EXISTS (
        SELECT FROM job
         WHERE tenant = upload.tenant AND kind = '${resizeImage.kind}'
           AND payload->>'upload' = key
           AND (state IN ('waiting', 'queued', 'active')
                OR (state = 'failed' AND finished_at > now() - interval '7 days')))
    ORDER BY created_at LIMIT ${page}`,
);

const forgetStatement = statement<never>('forget_uploads').with(
  { keys: 'text[]' },
  ($) => `DELETE FROM upload WHERE key = ANY(${$.keys})`,
);
