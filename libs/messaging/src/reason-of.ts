/**
 * @returns the message of an error. After a connection attempt to several addresses, the error itself has no message:
 *   then the messages of its parts
 */
export function reasonOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('message' in error)) return String(error);
  const { name, message, errors } = error as Error & { errors?: unknown };
  if (Array.isArray(errors) && errors.length > 0) return errors.map(reasonOf).join('; ');
  return message || name;
}
