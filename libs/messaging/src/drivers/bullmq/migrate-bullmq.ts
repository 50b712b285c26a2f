import { runMigrations } from 'bullmq';
import type { Pool } from 'pg';

/** Makes or brings up to date the schema `bullmq`, which BullMQ's PostgreSQL backend keeps its queues in. */
export async function migrateBullmq(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await runMigrations(client);
  } finally {
    client.release();
  }
}
