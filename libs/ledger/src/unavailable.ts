import { statement, type Database } from './statement';

/** PostgreSQL was away or did not answer in time. The statement may or may not have taken effect. */
const connectionErrors = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  // https://www.postgresql.org/docs/current/errcodes-appendix.html
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57014', // query_canceled: statement_timeout
  '25006', // read_only_sql_transaction: a standby, after a failover
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available
]);

/** pg reports these errors without a code. */
const connectionMessages = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Query read timeout',
  'Client has encountered a connection error and is not queryable',
  'Cannot use a pool after calling end on the pool',
];

/** @returns whether a retry of the same statement may succeed later */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isDatabaseUnavailable);
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  // By name: the core does not import Prisma. https://www.prisma.io/docs/orm/reference/error-reference
  if (error.name === 'PrismaClientKnownRequestError') return /^P(1\d{3}|2024|2034)$/.test(String(code));
  if (error.name === 'PrismaClientInitializationError') return true;
  // Classes 08 (connection), 53 (resources), 58 (system).
  if (typeof code === 'string' && (connectionErrors.has(code) || /^(08|53|58)/.test(code))) return true;
  return (
    connectionMessages.some((message) => error.message.includes(message)) ||
    (error.cause !== undefined && isDatabaseUnavailable(error.cause))
  );
}

/**
 * Asks PostgreSQL whether it refuses this value. A data exception (SQLSTATE class 22) of a statement with many values
 * does not say which value caused it.
 * @returns why the value cannot be stored as jsonb; undefined when it can
 * @throws the error of a database that is away
 */
export async function jsonFault(database: Database, value: unknown): Promise<string | undefined> {
  try {
    await jsonProbe.run(database, { value: JSON.stringify(value) });
    return undefined;
  } catch (error) {
    if (isDatabaseUnavailable(error)) throw error;
    return (error as Error).message;
  }
}

const jsonProbe = statement<never>('json_probe').with({ value: 'jsonb' }, ($) => `SELECT ${$.value} IS NULL`);
