import type { Prisma } from '@app/database';
import { statement, type Database } from '@app/ledger';

/** A file of a job. The file store holds its bytes. */
export interface FileRecord {
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
 */
export async function recordFiles(tx: Prisma.TransactionClient, files: readonly FileRecord[]): Promise<void> {
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
