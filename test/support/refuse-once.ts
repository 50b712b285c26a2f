import type { Pool } from 'pg';

/** Makes the first completion of a job fail with this error. The sequence `attempts` counts the tries. */
export async function refuseOnce(pool: Pool, code: string, message: string): Promise<void> {
  await pool.query(`
    CREATE SEQUENCE attempts;
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.state = 'completed' AND nextval('attempts') = 1 THEN
        RAISE EXCEPTION '${message}' USING ERRCODE = '${code}';
      END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER refuse BEFORE UPDATE ON job FOR EACH ROW EXECUTE FUNCTION refuse()`);
}
