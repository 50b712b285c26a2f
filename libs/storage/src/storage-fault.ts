/** The file store cannot be used just now: another attempt may find it mended. `cause` has the store's own error. */
export class StorageFault extends Error {
  readonly code = 'storage_unavailable';

  constructor(setting: 'STORAGE_DIR' | 'S3_BUCKET', doing: string, cause: unknown) {
    super(`The file could not be ${doing} (${describe(cause)}). Look at ${setting}.`, { cause });
    this.name = 'StorageFault';
  }
}

/** Without the path, which is for the operator: a job's caller reads this too. */
function describe(error: unknown): string {
  // A connection that was tried at several addresses has an empty message of its own.
  const { name, message, errors = [] } = error as Error & { errors?: readonly unknown[] };
  if (errors.length > 0) return errors.map(describe).join('; ');
  const withoutPath = message.replace(/,? '.*$/s, '');
  return isAboutFiles(error) ? withoutPath : [name, withoutPath].filter(Boolean).join(': ');
}

/** @returns whether the operating system refused a call of ours */
export function isAboutFiles(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'syscall' in error;
}
