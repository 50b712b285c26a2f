import { version } from 'uuid';
import type { Prisma } from '@app/database';
import {
  isWithoutJob,
  pageAfter,
  pageById,
  pageParameters,
  statement,
  tenantFilesIn,
  walkById,
  type Database,
  type RetentionWalk,
} from '@app/ledger';
import type { FileStore } from './file-store';

/** A file of a job. The file store holds its bytes. */
export interface FileRecord {
  /** A UUIDv7: retention walks by the time in it. */
  readonly id: string;
  readonly tenant: string;
  readonly jobId: string;
  /** The key in the file store. */
  readonly key: string;
  /** The file name that a caller gets with the download. */
  readonly name: string;
  readonly contentType: string;
  readonly bytes: number;
}

/**
 * Records files in the handler's own transaction, after their bytes are stored. So a caller who sees the job completed
 * finds its files, and a fenced worker adds none.
 * @throws RangeError for an id of another version
 */
export async function recordFiles(tx: Prisma.TransactionClient, files: readonly FileRecord[]): Promise<void> {
  const other = files.find(({ id }) => version(id) !== 7);
  if (other) throw new RangeError(`Expected a UUIDv7 as the id of a file, got ${other.id}.`);
  await tx.file.createMany({ data: [...files] });
}

const readStatement = statement<Omit<FileRecord, 'bytes'> & { bytes: string }>('read_file').with(
  { id: 'uuid' },
  ($) => `SELECT id, tenant, job_id AS "jobId", key, name, content_type AS "contentType", bytes
     FROM file WHERE id = ${$.id}`,
);

/** @returns the record of a file of any tenant; undefined when there is none */
export async function readFileRecord(database: Database, id: string): Promise<FileRecord | undefined> {
  const [row] = await readStatement.run(database, { id });
  return row && { ...row, bytes: Number(row.bytes) };
}

/** The files of a tenant's jobs. */
export const filesOfTenant = tenantFilesIn('file');

/** Files are made after their job, so no file of a job that is old enough to be deleted has a later id. */
const withoutJobStatement = statement<{ ids: string[]; keys: string[]; last: string | null }>('files_without_job').with(
  pageParameters,
  ($) => `WITH page AS (
     ${pageById('file', 'id', 'id, key, job_id', $)}
   ), old AS (
     SELECT id, key FROM page WHERE ${isWithoutJob('job_id')}
   )
   SELECT ARRAY(SELECT id FROM old ORDER BY id) AS ids, ARRAY(SELECT key FROM old ORDER BY id) AS keys,
          (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last`,
);

const forgetStatement = statement<never>('forget_files').with(
  { ids: 'uuid[]' },
  ($) => `DELETE FROM file WHERE id = ANY(${$.ids})`,
);

/**
 * Removes the files of jobs that the ledger has deleted.
 * @throws the store's error; then the rows stay, so that a later walk finds the files
 */
export const fileRetention =
  (store: FileStore): RetentionWalk =>
  (database, ages) =>
    walkById(async (after) => {
      const [page] = await withoutJobStatement.run(database, pageAfter(after, ages));
      const { ids, keys, last } = page!;
      for (const key of keys) await store.remove(key);
      await forgetStatement.run(database, { ids });
      return { deleted: ids.length, last };
    });
