import { runMigrations } from 'bullmq';
import type { Pool } from 'pg';

/** Creates or updates the schema `bullmq`, in which BullMQ's PostgreSQL backend keeps its queues. */
export async function migrateBullmq(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await runMigrations(client);
  } finally {
    client.release();
  }
}
