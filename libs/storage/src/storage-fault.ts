/** The file store cannot be used now; a later attempt may succeed. `cause` holds the store's own error. */
export class StorageFault extends Error {
  readonly code = 'storage_unavailable';

  constructor(setting: 'STORAGE_DIR' | 'S3_BUCKET', doing: string, cause: unknown) {
    super(`The file could not be ${doing} (${describe(cause)}). Look at ${setting}.`, { cause });
    this.name = 'StorageFault';
  }
}

/** Without the path, which is for operators: the caller of a job also reads this text. */
function describe(error: unknown): string {
  // After a connection attempt to several addresses, the error itself has an empty message.
  const { name, message, errors = [] } = error as Error & { errors?: readonly unknown[] };
  if (errors.length > 0) return errors.map(describe).join('; ');
  const withoutPath = message.replace(/,? '.*$/s, '');
  return isAboutFiles(error) ? withoutPath : [name, withoutPath].filter(Boolean).join(': ');
}

/** @returns whether the error comes from a call to the operating system */
export function isAboutFiles(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'syscall' in error;
}
