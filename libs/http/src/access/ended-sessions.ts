import { Statement, type Database } from '@app/ledger';

/**
 * From now on every process refuses the session. Those that have expired are forgotten in the same statement.
 * @param lifeMs at least as long as its cookie lives on
 */
export async function endSession(database: Database, id: string, lifeMs: number): Promise<void> {
  await endStatement.run(database, id, lifeMs);
}

/** @returns those of the sessions that a log-out has ended */
export async function endedSessions(database: Database, ids: readonly string[]): Promise<string[]> {
  return (await endedStatement.run(database, ids)).map(({ id }) => id);
}

const endStatement = new Statement(
  'end_session',
  `WITH expired AS (DELETE FROM ended_session WHERE expires_at < now())
   INSERT INTO ended_session (id, expires_at) VALUES ($1, now() + $2 * interval '1 millisecond')
   ON CONFLICT (id) DO NOTHING`,
);

const endedStatement = new Statement<{ id: string }>(
  'ended_sessions',
  'SELECT id FROM ended_session WHERE id = ANY($1::uuid[])',
);
