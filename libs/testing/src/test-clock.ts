import { Client } from 'pg';
import { toMs, type Duration } from '@app/contracts';
import { wakeUpChannel } from '@app/ledger';

/**
 * Moves the time of a test database. Every time of the core is the database's `now()`, so a delay of an hour, a lease
 * or a cron tick needs no waiting in a test. Time-outs of handlers use the process's own clock.
 *
 * PostgreSQL looks up `now()` along the search path. The test database has a function of that name before PostgreSQL's
 * own, and the defaults of columns call it too (https://www.postgresql.org/docs/current/ddl-schemas.html#DDL-SCHEMAS-CATALOG).
 */
export class TestClock {
  private constructor(private readonly databaseUrl: string) {}

  /** For a database that the test created and that has no connections yet: a connection keeps its search path. */
  static async install(databaseUrl: string): Promise<TestClock> {
    await withClient(databaseUrl, async (client) => {
      const database = client.escapeIdentifier(client.database!);
      await client.query(`
        CREATE SCHEMA test_clock;
        CREATE TABLE test_clock.moved (by interval NOT NULL);
        INSERT INTO test_clock.moved VALUES (interval '0');
        CREATE FUNCTION test_clock.now() RETURNS timestamptz LANGUAGE sql STABLE
          AS 'SELECT pg_catalog.now() + by FROM test_clock.moved';
        DO $$
        DECLARE it record;
        BEGIN
          FOR it IN SELECT table_name, column_name FROM information_schema.columns
                     WHERE table_schema = 'public' AND column_default = 'CURRENT_TIMESTAMP' LOOP
            EXECUTE format('ALTER TABLE %I ALTER %I SET DEFAULT test_clock.now()', it.table_name, it.column_name);
          END LOOP;
        END $$;
        ALTER DATABASE ${database} SET search_path = test_clock, public, pg_catalog`);
    });
    return new TestClock(databaseUrl);
  }

  /** Advances the time for all connections at once, and wakes the relays. */
  async advance(by: Duration): Promise<void> {
    await withClient(this.databaseUrl, async (client) => {
      await client.query(`UPDATE test_clock.moved SET by = by + $1::bigint * interval '1 millisecond'`, [toMs(by)]);
      await client.query(`NOTIFY ${wakeUpChannel}`);
    });
  }
}

async function withClient(url: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
