import { Statement, type Database } from './statement';

/** PostgreSQL was not there or did not answer in time; what was asked may or may not have happened. */
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

/** pg reports these without a code. */
const connectionMessages = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Query read timeout',
  'Client has encountered a connection error and is not queryable',
  'Cannot use a pool after calling end on the pool',
];

/** Whether trying the same thing again later may help. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isDatabaseUnavailable);
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  // By name: the core does not import Prisma. https://www.prisma.io/docs/orm/reference/error-reference
  if (error.name === 'PrismaClientKnownRequestError') return /^P(1\d{3}|2024|2034)$/.test(String(code));
  if (error.name === 'PrismaClientInitializationError') return true;
  if (typeof code === 'string' && (connectionErrors.has(code) || /^(08|53|58)/.test(code))) return true; // connection, resources, system
  return (
    connectionMessages.some((message) => error.message.includes(message)) ||
    (error.cause !== undefined && isDatabaseUnavailable(error.cause))
  );
}

/**
 * Asks PostgreSQL itself whether it is the value that it refuses: a data exception (SQLSTATE class 22) of a statement
 * with many values may be the fault of any of them.
 * @returns why the value cannot be stored as jsonb; undefined where it can be
 */
export async function jsonFault(database: Database, value: unknown): Promise<string | undefined> {
  try {
    await jsonProbe.run(database, JSON.stringify(value));
    return undefined;
  } catch (error) {
    if (isDatabaseUnavailable(error)) throw error;
    return (error as Error).message;
  }
}

const jsonProbe = new Statement<never>('json_probe', 'SELECT $1::jsonb IS NULL');
