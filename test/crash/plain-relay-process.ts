import { moment } from './moment';
import type { PlainClient } from './plain-clients/plain-client';
import { cell, pool, runPlain } from './plain-process';

/** An outbox relay. What makes an order's message known to its reader is made anew when it is published again. */
async function publishAll(client: PlainClient): Promise<void> {
  const { rows } = await pool.query<{ n: number }>('SELECT n FROM plain_order WHERE cell = $1 ORDER BY n', [cell]);
  for (const { n } of rows) {
    await client.publish(cell, [n]);
    moment();
    await pool.query('DELETE FROM plain_order WHERE cell = $1 AND n = $2', [cell, n]);
  }
  process.send!({ published: rows.length });
}

runPlain(async (client) => {
  await client.outstanding(cell); // Connected, before it is asked to publish.
  process.on('message', () => void publishAll(client));
});
