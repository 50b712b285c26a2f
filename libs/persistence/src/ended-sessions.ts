import { Statement, type Database } from './statement';

/**
 * From now on every process refuses the session. Those that have expired are forgotten in the same statement.
 * @param lifeMs at least as long as its cookie lives on
 */
export async function endSession(database: Database, id: string, lifeMs: number): Promise<void> {
  await endStatement.run(database, id, lifeMs);
}

export async function hasSessionEnded(database: Database, id: string): Promise<boolean> {
  return (await endedStatement.run(database, id)).length > 0;
}

const endStatement = new Statement(
  'end_session',
  `WITH expired AS (DELETE FROM ended_session WHERE expires_at < now())
   INSERT INTO ended_session (id, expires_at) VALUES ($1, now() + $2 * interval '1 millisecond')
   ON CONFLICT (id) DO NOTHING`,
);

const endedStatement = new Statement('session_ended', 'SELECT 1 FROM ended_session WHERE id = $1');
