import type { Prisma } from '@app/database';
import { Statement, type Database } from '@app/ledger';

/** A file of a job. Its bytes are in the file store. */
export interface FileRecord {
  readonly id: string;
  readonly tenant: string;
  readonly jobId: string;
  /** In the file store. */
  readonly key: string;
  /** What a caller who downloads it gets as its name. */
  readonly name: string;
  readonly contentType: string;
  readonly bytes: number;
}

/**
 * For a handler's own transaction: whoever sees the job completed finds its files, and a worker that lost its lease
 * adds none. The bytes are in the store by then.
 */
export async function recordFiles(tx: Prisma.TransactionClient, files: readonly FileRecord[]): Promise<void> {
  await tx.file.createMany({ data: [...files] });
}

const readStatement = new Statement<Omit<FileRecord, 'bytes'> & { bytes: string }>(
  'read_file',
  `SELECT id, tenant, job_id AS "jobId", key, name, content_type AS "contentType", bytes FROM file WHERE id = $1`,
);

export async function readFileRecord(database: Database, id: string): Promise<FileRecord | undefined> {
  const [row] = await readStatement.run(database, id);
  return row && { ...row, bytes: Number(row.bytes) };
}
