/** What an error says. A connection that was tried at several addresses has failed several times, and says nothing itself. */
export function reasonOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('message' in error)) return String(error);
  const { name, message, errors } = error as Error & { errors?: unknown };
  if (Array.isArray(errors) && errors.length > 0) return errors.map(reasonOf).join('; ');
  return message || name;
}
