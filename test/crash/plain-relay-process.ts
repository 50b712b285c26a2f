import { cell, connectPlain } from './plain-connection';
import { moment } from './moment';

/** An outbox relay that gives its messages no id: whatever it adds twice is there twice. */
const { pool, queues, QueueClass } = connectPlain();
const queue = new QueueClass(cell, queues);

async function publishAll(): Promise<void> {
  const { rows } = await pool.query<{ n: number }>('SELECT n FROM plain_order WHERE cell = $1 ORDER BY n', [cell]);
  for (const { n } of rows) {
    await queue.add('email', { n });
    moment();
    await pool.query('DELETE FROM plain_order WHERE cell = $1 AND n = $2', [cell, n]);
  }
  process.send!({ published: rows.length });
}

process.on('message', () => void publishAll());
void queue.waitUntilReady().then(() => process.send!('ready'));
process.on('SIGTERM', () => process.exit(0));
