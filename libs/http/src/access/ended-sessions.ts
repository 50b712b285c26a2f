import { statement, type Database } from '@app/ledger';

/**
 * Ends a session: from this commit on, every process refuses it. The same statement deletes expired rows.
 * @param lifeMs how long the row is kept, in milliseconds; at least the remaining life of the session's cookie
 */
export async function endSession(database: Database, id: string, lifeMs: number): Promise<void> {
  await endStatement.run(database, { id, lifeMs });
}

/** @returns the ids of those sessions that a log-out has ended */
export async function endedSessions(database: Database, ids: readonly string[]): Promise<string[]> {
  return (await endedStatement.run(database, { ids })).map(({ id }) => id);
}

const endStatement = statement<never>('end_session').with(
  { id: 'uuid', lifeMs: 'float8' },
  ($) => `WITH expired AS (DELETE FROM ended_session WHERE expires_at < now())
   INSERT INTO ended_session (id, expires_at) VALUES (${$.id}, now() + ${$.lifeMs} * interval '1 millisecond')
   ON CONFLICT (id) DO NOTHING`,
);

const endedStatement = statement<{ id: string }>('ended_sessions').with(
  { ids: 'uuid[]' },
  ($) => `SELECT id FROM ended_session WHERE id = ANY(${$.ids})`,
);
