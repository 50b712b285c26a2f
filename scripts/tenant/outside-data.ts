import type { Pool } from 'pg';

/** What a part keeps of a tenant outside of PostgreSQL. */
export interface OutsideData {
  /** In the plural, such as `files`. */
  readonly what: string;
  /** Writes it into a folder. @returns how many */
  save(pool: Pool, tenant: string, folder: string): Promise<number>;
  /** Removes it; while a row of PostgreSQL names it, so a second call finds what the first one left. @returns how many */
  remove(pool: Pool, tenant: string): Promise<number>;
}
