import { moment } from './moment';
import type { PlainClient } from './plain-clients/plain-client';
import { cell, pool, runPlain } from './plain-process';

/** An outbox relay. Each publish gives the message of an order a new id, so a consumer cannot recognise a copy. */
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
  await client.outstanding(cell); // Connects before the first publish is requested.
  process.on('message', () => void publishAll(client));
});
